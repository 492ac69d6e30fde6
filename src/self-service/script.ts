/**
 * What the page does where scripts run: it counts the time, hears by a stream when something is new, and then fetches itself anew. All that
 * it shows was written by the server, so that a page without a script says the same.
 */

/** 15 s: between two looks where no stream is open. The page says so where no script runs. */
export const LOOK_AGAIN_SECONDS = 15;

export const pageScript = `(() => {
  "use strict";
  const view = document.getElementById("view");
  const spoken = document.getElementById("spoken");
  if (view === null || spoken === null || !view.dataset.events) return;
  document.documentElement.classList.add("live");

  let ahead = Number(view.dataset.now) - Date.now();
  const tick = () => {
    for (const clock of view.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() + ahead - Number(clock.dataset.since)) / 1000));
      clock.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    }
  };

  let looking = false;
  let missed = false;
  const look = async () => {
    if (looking) {
      missed = true;
      return;
    }
    looking = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
      if (answer.status !== 429 && answer.status !== 503) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The network is away: the next look finds it back.
    }
    looking = false;
    if (missed) {
      missed = false;
      void look();
    }
  };

  const show = (next) => {
    const fresh = next.getElementById("view");
    if (fresh === null) return;
    ahead = Number(fresh.dataset.now) - Date.now();
    if (fresh.dataset.mark === view.dataset.mark) return;
    const focused = view.contains(document.activeElement) ? document.activeElement : null;
    const open = view.querySelector("details")?.open === true;
    for (const name of Object.keys(view.dataset)) if (!(name in fresh.dataset)) delete view.dataset[name];
    Object.assign(view.dataset, fresh.dataset);
    view.replaceChildren(...fresh.childNodes);
    document.title = next.title;
    const details = view.querySelector("details");
    if (open && details !== null) details.open = true;
    tick();
    if (focused !== null) {
      const same = focused.id === "" ? null : document.getElementById(focused.id);
      (same ?? view.querySelector("h1"))?.focus();
    }
    spoken.textContent = view.dataset.say ?? "";
    if (!view.dataset.events) close();
  };

  let stream;
  const close = () => {
    stream?.close();
    stream = undefined;
  };
  const listen = () => {
    if (!view.dataset.events || (stream !== undefined && stream.readyState !== EventSource.CLOSED)) return;
    stream = new EventSource(view.dataset.events);
    stream.addEventListener("standing", (event) => {
      if (JSON.parse(event.data).mark !== view.dataset.mark) void look();
    });
  };

  setInterval(tick, 1000);
  setInterval(() => {
    if (document.hidden || !view.dataset.events || stream?.readyState === EventSource.OPEN) return;
    void look();
    listen();
  }, ${LOOK_AGAIN_SECONDS * 1000});
  // A phone stops what is in the background, and its person was away to delete an app.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    void look();
    listen();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", listen);
  tick();
  listen();
})();
`;
