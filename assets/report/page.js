'use strict';
// Draws each flame graph out of the data beside it, gives the whole width to what is clicked, and marks what is searched for.
// Names come out of files: they go into text and attributes only, never into markup.
for (const graph of document.querySelectorAll('.graph')) {
  const { names, nodes, unit } = JSON.parse(graph.querySelector('script').textContent);
  const [box, says, search] = ['.flame', '.says', 'input'].map((s) => graph.querySelector(s));
  const ROW = 19;
  const LEAST = 0.0005;
  // A node is [name, parent, start, total, own]; the first is all.
  const depth = [];
  nodes.forEach((n, i) => depth.push(i === 0 ? 0 : depth[n[1]] + 1));
  const elements = nodes.map((n, i) => {
    const e = document.createElement('div');
    e.textContent = names[n[0]];
    e.className = 'abc'[n[0] % 3];
    e.style.top = depth[i] * ROW + 'px';
    e.addEventListener('click', () => zoom(i));
    e.addEventListener('mouseenter', () => { says.textContent = tell(i); });
    return e;
  });
  let root = 0;
  // An address may say what to search for: case.html#find=mapassign
  search.value = new URLSearchParams(location.hash.slice(1)).get('find') || '';
  let wanted = search.value.toLowerCase();

  function amount(n) {
    if (unit === 'samples') return n + (n === 1 ? ' sample' : ' samples');
    const steps = unit === 'nanoseconds' ? [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']]
      : unit === 'bytes' ? [[2 ** 30, 'GB'], [2 ** 20, 'MB'], [2 ** 10, 'kB'], [1, 'B']] : [[1, ' ' + unit]];
    const [size, word] = steps.find(([size]) => n >= size) || steps[steps.length - 1];
    return Number((n / size).toPrecision(3)) + word;
  }

  function share(n) {
    return (100 * n / Math.max(nodes[0][3], 1)).toFixed(1) + ' %';
  }

  function tell(i) {
    const [name, , , total, own] = nodes[i];
    return names[name] + ' · ' + amount(total) + ' · ' + share(total) + (own > 0 ? ' · itself ' + amount(own) : '');
  }

  function zoom(i) {
    root = i;
    const above = new Set();
    for (let at = i; at !== 0; at = nodes[at][1]) above.add(nodes[at][1]);
    const [, , from, width] = nodes[i];
    let deepest = 0;
    box.replaceChildren();
    nodes.forEach(([, , start, total], n) => {
      const up = above.has(n);
      const left = up ? 0 : (start - from) / width;
      const part = up ? 1 : total / width;
      const inside = up || depth[n] >= depth[i] && start >= from && start + total <= from + width;
      if (!inside || part < LEAST) return;
      const e = elements[n];
      e.style.left = 100 * left + '%';
      e.style.width = 100 * part + '%';
      e.classList.toggle('up', up);
      deepest = Math.max(deepest, depth[n]);
      box.append(e);
    });
    box.style.height = (deepest + 1) * ROW + 'px';
    mark();
  }

  function mark() {
    let sum = 0;
    let until = -1;
    const hits = [];
    nodes.forEach(([name, , start, total], n) => {
      const hit = wanted !== '' && n > 0 && names[name].toLowerCase().includes(wanted);
      elements[n].classList.toggle('hit', hit);
      if (hit) hits.push([start, total]);
    });
    // What lies below another hit is part of it already.
    hits.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    for (const [start, total] of hits) {
      if (start >= until) {
        sum += total;
        until = start + total;
      }
    }
    says.textContent = wanted === '' ? tell(root) : hits.length + ' match: ' + amount(sum) + ' · ' + share(sum);
  }

  search.addEventListener('input', () => {
    wanted = search.value.toLowerCase();
    mark();
  });
  graph.querySelector('button').addEventListener('click', () => {
    search.value = wanted = '';
    zoom(0);
  });
  box.addEventListener('mouseleave', mark);
  zoom(0);
}
