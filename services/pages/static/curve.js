// Sliders for the two days of the curve: as of × known at. Without this module the form does the same, with a button.

const section = document.querySelector("[data-curve]");
const form = section?.querySelector("form");
const DAY = 86_400_000;
const days = (text) => Math.round(Date.parse(`${text}T00:00:00Z`) / DAY);
const text = (number) => new Date(number * DAY).toISOString().slice(0, 10);
let asked = 0;
let waiting = 0;

async function show() {
  const mine = ++asked;
  const question = new URLSearchParams(new FormData(form));
  const answer = await fetch(`${section.dataset.curve}?${question}`, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked) return;
  section.querySelector("[data-figure]").replaceWith(page.querySelector("[data-figure]"));
  history.replaceState(null, "", `${location.pathname}?${question}`);
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(show, 120);
}

for (const slot of form?.querySelectorAll("[data-slider]") ?? []) {
  const day = slot.querySelector("input");
  const range = document.createElement("input");
  range.type = "range";
  range.min = days(day.min);
  range.max = days(day.max);
  range.value = days(day.value);
  range.setAttribute("aria-label", slot.querySelector("label").textContent);
  range.setAttribute("aria-valuetext", day.value);
  range.addEventListener("input", () => {
    day.value = text(Number(range.value));
    range.setAttribute("aria-valuetext", day.value);
    soon();
  });
  day.addEventListener("change", () => {
    if (day.value) range.value = days(day.value);
    soon();
  });
  slot.append(range);
}
