'use strict';
(() => {
  const quiet = 60000, soon = 2500;
  const name = document.title;
  const of = id => document.getElementById(id);
  const tell = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const comeBack = delay => setTimeout(() => location.reload(), delay);
  let heard = performance.now();

  // An app that serves and does not answer would have the page load again and again: not before a moment has passed.
  const enter = () => comeBack(Math.max(0, soon - performance.now()));

  const show = notice => {
    tell(of('sentence'), notice.sentence);
    of('pull').hidden = !notice.pull;
    if (notice.pull) {
      of('bar').value = notice.pull.percent;
      tell(of('amount'), notice.pull.amount);
      tell(of('pace'), notice.pull.pace);
    }
    document.title = notice.pull ? `${notice.pull.percent} % · ${name}` : name;
    const steps = of('steps');
    steps.hidden = notice.steps.length === 0;
    notice.steps.forEach((step, index) => {
      const row = steps.children[index];
      if (!row) return;
      row.dataset.state = step.state;
      if (step.state === 'now') row.setAttribute('aria-current', 'step'); else row.removeAttribute('aria-current');
      tell(row.children[1], step.name);
      tell(row.lastElementChild, step.note);
    });
    of('details').hidden = !notice.details;
    tell(of('more'), notice.details || '');
    of('ending').hidden = !notice.ending;
    tell(of('ending'), notice.ending || '');
    of('turns').hidden = notice.status === 'leaving';
    of('before').hidden = !notice.before;
    tell(of('before'), notice.before || '');
  };

  const source = new EventSource('/_ragagent/events');
  const hear = what => event => { heard = performance.now(); what(event); };
  source.addEventListener('notice', hear(event => show(JSON.parse(event.data))));
  source.addEventListener('beat', hear(() => { }));
  source.addEventListener('serves', hear(() => { source.close(); enter(); }));
  // Refused for good, as when too many listen: it comes back instead.
  source.addEventListener('error', () => { if (source.readyState === EventSource.CLOSED) comeBack(5000 + Math.random() * 5000); });
  setInterval(() => { if (performance.now() - heard > quiet) location.reload(); }, 5000);
})();
