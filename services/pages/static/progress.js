// While documents of the month are on their way, the page looks again by itself. Without this module there is a link.

const EVERY = 3000;

async function look() {
  const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector("[data-progress]");
  if (!found) return;
  document.querySelector("[data-progress]").replaceWith(found);
  for (const cell of page.querySelectorAll("[data-sending]"))
    document.querySelector(`[data-sending="${CSS.escape(cell.dataset.sending)}"]`)?.replaceWith(cell);
  soon();
}

function soon() {
  if (document.querySelector("[data-moving]")) setTimeout(() => look().catch(soon), EVERY);
}

soon();
