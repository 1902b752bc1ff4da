/** A judgement as elements of a page. Texts are set, never parsed. */

import { WORDS, phrase } from "./words.js";

const MARKS = { true: "✓", false: "✗", null: "–" };
const VERDICTS = { true: ["good", "holds"], false: ["wrong", "holds-not"], null: ["undecided", "undecided"] };

export function element(name, kind = "", text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  return made;
}

/** The verdict, and each step with what it found. */
export function judgementShown(judgement) {
  const [kind, word] = VERDICTS[judgement.holds];
  const shown = element("section", `judgement ${kind}`);
  const steps = element("ol", "steps");
  steps.append(...judgement.steps.map(stepShown));
  shown.append(element("h2", "verdict", `${MARKS[judgement.holds]} ${phrase(WORDS, word)}`), steps);
  return shown;
}

function stepShown({ name, holds, code, values }) {
  const shown = element("li", VERDICTS[holds][0]);
  shown.append(element("strong", "", `${MARKS[values.open ? null : holds]} ${phrase(WORDS, `step-${name}`)}`), element("p", "", phrase(WORDS, code ?? `said-${values.said ?? name}`, values)));
  if (values.expected || values.found) {
    const sides = ["expected", "found"].map((side) => `${phrase(WORDS, side)}: ${values[side]}`);
    shown.append(element("p", "detail", sides.join(" · ")));
  }
  return shown;
}
