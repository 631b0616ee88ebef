'use strict';
const $ = id => document.getElementById(id);
const words = {anomalous: 'anomalous', normal: 'normal', review: 'for review', fault: 'camera fault'};
const short = value => Number(value.toPrecision(4)).toString();
const headers = () => $('token').value ? {Authorization: 'Bearer ' + $('token').value.trim()} : {};

function say(text, busy) {
  $('message').textContent = text;
  $('message').classList.toggle('busy', Boolean(busy));
  $('drop').classList.toggle('busy', Boolean(busy));
}

async function about() {
  const answer = await fetch('/v2/health/ready');
  $('about').textContent = answer.ok ? 'One image at a time; nothing is kept.' : 'The service is not ready yet.';
}

function shape(kind, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function row(cells) {
  const line = document.createElement('tr');
  for (const text of cells) line.append(Object.assign(document.createElement('td'), {textContent: text}));
  return line;
}

function show(answer, file) {
  const {height, width, warnings} = answer.input;
  $('verdict').textContent = words[answer.verdict];
  $('verdict').className = 'badge ' + answer.verdict;
  $('name').textContent = file.name;
  $('reason').textContent = answer.reason + (warnings.length ? ' · unusual image: ' + warnings.join(', ') : '');
  const ratio = answer.threshold > 0 ? answer.score / answer.threshold : 0;
  $('bar').style.width = Math.min(Math.max(50 * ratio, 0), 100) + '%';
  $('meter').classList.toggle('over', answer.is_anomalous);
  $('meter').setAttribute('aria-label', 'score ' + short(answer.score) + ', threshold ' + short(answer.threshold));
  $('scale').textContent = `score ${short(answer.score)}; the mark is the threshold, ${short(answer.threshold)} · `
    + `${width} × ${height} px, ${answer.input.bits} bit · judged in ${Math.round(answer.ms.judge)} ms`;
  $('pics').classList.toggle('tall', 1.6 * height > width);
  $('map').src = 'data:image/png;base64,' + answer.map.data;
  $('map').alt = 'anomaly map';
  $('legend').textContent = `anomaly map, from 0 (black) to ${short(answer.map.scale[1])} (yellow), twice the pixel threshold`;
  const lines = $('lines');
  lines.setAttribute('viewBox', `0 0 ${width} ${height}`);
  lines.replaceChildren(
    ...answer.suppressed.map(({box: [y, x, h, w]}) => shape('rect', {x, y, width: w, height: h, class: 'gone'})),
    ...answer.regions.map(({box: [y, x, h, w], outline}) => outline ? shape('path', {d: outline})
      : shape('rect', {x, y, width: w, height: h, class: 'kept'})));
  const cells = (state, one) => row([state, one.area, short(one.peak), `${one.box[0]}, ${one.box[1]}`,
    `${one.box[3]} × ${one.box[2]}`]);
  $('regions').replaceChildren(
    ...answer.regions.map(one => cells('kept', one)),
    ...answer.suppressed.map(one => cells(`suppressed: ${one.rule} ${short(one.value)}, limit ${short(one.limit)}`, one)));
  if (!answer.regions.length && !answer.suppressed.length) $('regions').replaceChildren(row(['none', '', '', '', '']));
  const {map, ...rest} = answer;
  for (const region of rest.regions) delete region.outline;
  $('json').textContent = JSON.stringify(rest, null, 1);
  $('result').hidden = false;
}

async function inspect(file) {
  if (!file) return;
  $('result').hidden = true;
  say('Judging ' + file.name + ' …', true);
  try {
    const response = await fetch('/v1/predict?map=png&outlines=true', {method: 'POST', body: file, headers: headers()});
    const answer = await response.json();
    if (!response.ok) {
      if (response.status === 401) $('access').open = true;
      return say(answer.error.message);
    }
    const picture = $('image');
    if (picture.src.startsWith('blob:')) URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(file);
    picture.alt = file.name;
    picture.onerror = () => { picture.onerror = null; picture.src = 'data:image/png;base64,' + answer.map.data; };
    say('');
    show(answer, file);
  } catch (error) {
    say('The service does not answer.');
  }
}

$('file').addEventListener('change', () => { inspect($('file').files[0]); $('file').value = ''; });
$('drop').addEventListener('keydown', event => { if (event.key === 'Enter' || event.key === ' ') $('file').click(); });
for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, event => {
    event.preventDefault();
    $('drop').classList.toggle('over', kind === 'dragenter' || kind === 'dragover');
    if (kind === 'drop') inspect(event.dataTransfer.files[0]);
  });
}
$('toggle').addEventListener('click', () => {
  const hidden = $('lines').toggleAttribute('hidden');
  $('toggle').textContent = hidden ? 'show outlines' : 'hide outlines';
});
about();
