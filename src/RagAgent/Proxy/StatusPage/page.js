'use strict';
(() => {
  // In milliseconds. The agent sends a heartbeat every 15 seconds.
  const maxSilence = 60000, minStay = 2500;
  const name = document.title;
  const byId = id => document.getElementById(id);
  const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const reloadIn = delay => setTimeout(() => location.reload(), delay);
  let lastEvent = performance.now();

  // If the app serves but doesn't answer, the page comes back. A minimum stay keeps it from reloading in a tight loop.
  const openApp = () => reloadIn(Math.max(0, minStay - performance.now()));

  const show = notice => {
    setText(byId('sentence'), notice.sentence);
    byId('pull').hidden = !notice.pull;
    if (notice.pull) {
      byId('bar').value = notice.pull.percent;
      setText(byId('amount'), notice.pull.amount);
      setText(byId('pace'), notice.pull.pace);
    }
    document.title = notice.pull ? `${notice.pull.percent} % · ${name}` : name;
    const steps = byId('steps');
    steps.hidden = notice.steps.length === 0;
    notice.steps.forEach((step, index) => {
      const row = steps.children[index];
      if (!row) return;
      row.dataset.state = step.state;
      if (step.state === 'now') row.setAttribute('aria-current', 'step'); else row.removeAttribute('aria-current');
      setText(row.children[1], step.name);
      setText(row.lastElementChild, step.note);
    });
    byId('details').hidden = !notice.details;
    setText(byId('more'), notice.details || '');
    byId('ending').hidden = !notice.ending;
    setText(byId('ending'), notice.ending || '');
    byId('turns').hidden = notice.status === 'leaving';
    byId('before').hidden = !notice.before;
    setText(byId('before'), notice.before || '');
  };

  const source = new EventSource('{EVENTS_PATH}');
  const on = (type, handle) => source.addEventListener(type, event => { lastEvent = performance.now(); handle(event); });
  on('notice', event => show(JSON.parse(event.data)));
  on('beat', () => { });
  on('serves', () => { source.close(); openApp(); });
  // The browser doesn't reconnect after a refusal, which the agent sends when there are too many listeners. Reload instead.
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) reloadIn(5000 + Math.random() * 5000);
  });
  setInterval(() => { if (performance.now() - lastEvent > maxSilence) location.reload(); }, 5000);
})();
