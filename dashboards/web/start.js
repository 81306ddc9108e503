// Keeps the start page up to date and copies its commands. The page is whole without it.
const EVERY_MS = 5_000;
/** A page that watches takes at most this share of a busy database's time. */
const MAX_SHARE = 0.05;
const ANSWER_MS = 10_000;
/** However slow the answers are, nobody waits longer for news. */
const AT_MOST_MS = 30_000;
const TOLD_MS = 2_000;

const byId = (id) => document.getElementById(id);

/** Says something to the person, and to a screen reader, for a moment. */
function tell(text) {
  byId("told").textContent = text;
  setTimeout(() => {
    byId("told").textContent = "";
  }, TOLD_MS);
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
      button.textContent = "Copied";
      tell("Copied");
    } catch {
      // Without the right to the clipboard, or on an address that is no secure context: selected is the next best.
      getSelection().selectAllChildren(byId(button.dataset.copy));
      button.textContent = "Selected";
      tell("Selected: copy it with your keyboard");
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, TOLD_MS);
  });
}

const pause = byId("pause");
pause.hidden = false;
pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Paused" : "Pause";
  if (!paused) update();
});

/** Text that somebody is selecting must not go away under the pointer. */
const isSelecting = (element) => getSelection().type === "Range" && getSelection().containsNode(element, true);

function setStatus(text, className) {
  const status = byId("status");
  // Writing the same again would make a screen reader say it again.
  if (status.textContent !== text) status.textContent = text;
  status.className = className;
}

async function update() {
  if (document.hidden || pause.getAttribute("aria-pressed") === "true") return;
  let fresh;
  try {
    // A browser may hold a request while it asks a person for a key: that must not be the last one.
    const response = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) throw new Error(String(response.status));
    fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    setStatus("The collector does not answer. This page goes on asking.", "bad");
    return;
  }
  const status = fresh.getElementById("status");
  setStatus(status.textContent, status.className);
  for (const element of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(element.id);
    if (next !== null && next.innerHTML !== element.innerHTML && !isSelecting(element)) element.replaceChildren(...next.childNodes);
  }
}

async function watch() {
  const began = performance.now();
  await update();
  setTimeout(watch, Math.min(AT_MOST_MS, Math.max(EVERY_MS, (performance.now() - began) / MAX_SHARE)));
}

setTimeout(watch, EVERY_MS);
document.addEventListener("visibilitychange", update);
