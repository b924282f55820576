// The front page: sign in with a token, plan a week, watch the agents.

const $ = (id) => document.getElementById(id);
let token = '';

// element creates a tag with text and children. Text is never parsed as HTML.
function element(tag, text, ...children) {
  const node = document.createElement(tag);
  node.textContent = text;
  node.append(...children);
  return node;
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const result = await response.json();
  if (response.ok) return result;
  const details = (result.errors ?? []).map((e) => `${e.pointer.slice(2)}: ${e.detail}`);
  throw new Error([result.detail, ...details].join('. '));
}

// onSubmit runs an action when the form is submitted, and shows its error.
function onSubmit(form, action) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    $('message').textContent = '';
    const button = form.querySelector('button');
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      $('message').textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}

onSubmit($('sign-in'), async () => {
  token = $('token').value.trim();
  const user = await call('GET', '/api/v1/users/profile');
  $('user').textContent = `Signed in as ${user.displayName || user.id}.`;
  $('sign-in').hidden = true;
  $('plan').hidden = false;
  watch(0);
});

onSubmit($('plan'), async () => {
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
  $('message').textContent = status === 'partial' ? `The plan is incomplete: ${failed.join(', ')} failed.` : '';
  $('notes').replaceChildren(...week.notes.map((note) => element('li', note)));
  $('week').replaceChildren(...week.days.map(day));
}

const names = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const sentence = (name) => name[0].toUpperCase() + name.slice(1).replaceAll('_', ' ');

function day({ day, totals, meals, sessions }) {
  const head = element('header', '', element('h2', names[day - 1]));
  if (totals) {
    const kcal = element('p', integer.format(totals.energyKcal), element('small', ' kcal'));
    kcal.className = 'kcal';
    head.append(kcal, element('p', `${integer.format(totals.proteinG)} g protein`));
  }
  const card = element('article', '', head, ...sessions.map(training), ...meals.flatMap(mealItems));
  card.classList.toggle('training', sessions.length > 0);
  return card;
}

function training({ focus, totalSeconds, exercises }) {
  const block = element('div', '',
    element('h3', `Training: ${sentence(focus)}, ${integer.format(totalSeconds / 60)} min`),
    element('ul', '', ...exercises.map((e) => element('li', `${e.name} `, element('span', effort(e))))));
  block.className = 'session';
  return block;
}

// effort is "3 × 8–12", "2 × 30 s" or "19 min". Without repetitions and time it
// is the number of sets.
function effort({ sets, reps, holdSeconds }) {
  if (reps) return `${sets} × ${reps.min === reps.max ? reps.min : `${reps.min}–${reps.max}`}`;
  if (!holdSeconds) return sets === 1 ? '1 set' : `${sets} sets`;
  const time = holdSeconds < 120 ? `${holdSeconds} s` : `${integer.format(holdSeconds / 60)} min`;
  return sets === 1 ? time : `${sets} × ${time}`;
}

function mealItems({ meal, items }) {
  return [element('h3', sentence(meal)), element('ul', '', ...items.map(({ grams, food }) => element('li', `${grams} g ${food}`)))];
}

// watch requests the agents' status every two seconds. It reconnects a lost
// connection with a delay that doubles up to half a minute. The token is sent
// as a subprotocol, because URLs are in access logs.
function watch(attempt) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/ws`, ['progressive.v1', `bearer.${token}`]);
  let timer;
  const requestStatus = () => socket.send(JSON.stringify({ type: 'agent_status_request', timestamp: Date.now() }));
  socket.addEventListener('open', () => {
    attempt = 0;
    requestStatus();
    timer = setInterval(requestStatus, 2000);
  });
  socket.addEventListener('message', ({ data }) => {
    const { type, status, agents } = JSON.parse(data);
    if (type === 'agent_status') showStatus(`Agents are ${status}`, agents);
  });
  socket.addEventListener('close', () => {
    clearInterval(timer);
    showStatus('The connection is lost. Reconnecting.', {});
    setTimeout(watch, Math.min(30000, 1000 * 2 ** attempt), attempt + 1);
  });
}

// showStatus changes the header only if the status changed, so that a screen
// reader reads it once.
function showStatus(status, agents) {
  if ($('status').textContent !== status) $('status').textContent = status;
  $('agents').replaceChildren(...Object.entries(agents).map(([name, state]) => {
    const chip = element('li', `${name} ${state}`);
    chip.dataset.state = state;
    return chip;
  }));
}
