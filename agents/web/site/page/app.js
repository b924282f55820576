// The front page: sign in with a token, ask for a week, watch the agents.

const $ = (id) => document.getElementById(id);
let token = '';

// element makes a tag with text and children; text is never read as HTML.
function element(tag, text, ...children) {
  const node = document.createElement(tag);
  node.textContent = text;
  node.append(...children);
  return node;
}

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const said = await answer.json();
  if (answer.ok) return said;
  const parts = (said.errors ?? []).map((e) => `${e.pointer.slice(2)}: ${e.detail}`);
  throw new Error([said.detail, ...parts].join('. '));
}

// guarded runs a form's action and shows its failure.
function guarded(form, action) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    $('message').textContent = '';
    const button = form.querySelector('button');
    button.disabled = true;
    try {
      await action();
    } catch (failure) {
      $('message').textContent = failure.message;
    } finally {
      button.disabled = false;
    }
  });
}

guarded($('sign-in'), async () => {
  token = $('token').value.trim();
  const user = await call('GET', '/api/v1/users/profile');
  $('user').textContent = `Signed in as ${user.displayName || user.id}.`;
  $('sign-in').hidden = true;
  $('wishes').hidden = false;
  watch(0);
});

guarded($('wishes'), async () => {
  $('week').setAttribute('aria-busy', 'true');
  try {
    show(await call('POST', '/api/v1/agents/mca/coordinate', {
      task: 'plan_week',
      nutrition: { goals: [$('goal').value], preferences: $('diet').value ? [$('diet').value] : [] },
      training: { fitnessLevel: $('level').value, daysPerWeek: Number($('days').value), duration: Number($('minutes').value) },
    }));
  } finally {
    $('week').removeAttribute('aria-busy');
  }
});

function show({ status, agents, week }) {
  const failed = agents.filter((a) => a.status !== 'ok').map((a) => `${a.agent} (${a.reason})`);
  $('message').textContent = status === 'partial' ? `This is a part only: ${failed.join(', ')} did not answer.` : '';
  $('notes').replaceChildren(...week.notes.map((note) => element('li', note)));
  $('week').replaceChildren(...week.days.map(day));
}

const names = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const sentence = (name) => name[0].toUpperCase() + name.slice(1).replaceAll('_', ' ');

function day({ day, totals, meals, sessions }) {
  const head = element('header', '', element('h2', names[day - 1]));
  if (totals) {
    const kcal = element('p', whole.format(totals.energyKcal), element('small', ' kcal'));
    kcal.className = 'kcal';
    head.append(kcal, element('p', `${whole.format(totals.proteinG)} g protein`));
  }
  const card = element('article', '', head, ...sessions.map(training), ...meals.flatMap(eaten));
  card.classList.toggle('training', sessions.length > 0);
  return card;
}

function training({ focus, totalSeconds, exercises }) {
  const block = element('div', '',
    element('h3', `Training: ${sentence(focus)}, ${whole.format(totalSeconds / 60)} min`),
    element('ul', '', ...exercises.map((e) => element('li', `${e.name} `, element('span', effort(e))))));
  block.className = 'session';
  return block;
}

// effort is "3 × 8–12", "2 × 30 s", "19 min", or how many sets where no more is
// said.
function effort({ sets, reps, holdSeconds }) {
  if (reps) return `${sets} × ${reps.min === reps.max ? reps.min : `${reps.min}–${reps.max}`}`;
  if (!holdSeconds) return sets === 1 ? '1 set' : `${sets} sets`;
  const held = holdSeconds < 120 ? `${holdSeconds} s` : `${whole.format(holdSeconds / 60)} min`;
  return sets === 1 ? held : `${sets} × ${held}`;
}

function eaten({ meal, items }) {
  return [element('h3', sentence(meal)), element('ul', '', ...items.map(({ grams, food }) => element('li', `${grams} g ${food}`)))];
}

// watch asks for the agents' status every two seconds; a lost connection is
// made again, later and later up to half a minute. The token is offered as a
// subprotocol, because a URL ends in access logs.
function watch(attempt) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/ws`, ['progressive.v1', `bearer.${token}`]);
  let timer;
  const ask = () => socket.send(JSON.stringify({ type: 'agent_status_request', timestamp: Date.now() }));
  socket.addEventListener('open', () => {
    attempt = 0;
    ask();
    timer = setInterval(ask, 2000);
  });
  socket.addEventListener('message', ({ data }) => {
    const { type, status, agents } = JSON.parse(data);
    if (type === 'agent_status') tell(`Agents are ${status}`, agents);
  });
  socket.addEventListener('close', () => {
    clearInterval(timer);
    tell('The connection is lost; trying again.', {});
    setTimeout(watch, Math.min(30000, 1000 * 2 ** attempt), attempt + 1);
  });
}

// tell changes the header only when there is news, so that a screen reader
// says it once.
function tell(status, agents) {
  if ($('status').textContent !== status) $('status').textContent = status;
  $('agents').replaceChildren(...Object.entries(agents).map(([name, state]) => {
    const chip = element('li', `${name} ${state}`);
    chip.dataset.state = state;
    return chip;
  }));
}
