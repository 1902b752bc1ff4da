/** Something is not as it has to be: `code` names the sentence that says so, in the language of the page. */
export class Wrong extends Error {
  constructor(code, expected = "", found = "") {
    super(`${code}: expected ${expected}, found ${found}`);
    this.code = code;
    this.expected = String(expected);
    this.found = String(found);
  }
}

/** Throw Wrong unless the two are equal. */
export function same(code, expected, found) {
  if (expected !== found) throw new Wrong(code, expected, found);
}

/** This browser lacks what it takes to judge: that is no fault of what is judged. */
export class CannotJudge extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}
