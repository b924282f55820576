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
  const coordination = await call('POST', '/api/v1/agents/mca/coordinate', {
    task: 'plan_week',
    nutrition: { goals: [$('goal').value], preferences: $('diet').value ? [$('diet').value] : [] },
    training: { fitnessLevel: $('level').value, daysPerWeek: Number($('days').value), duration: Number($('minutes').value) },
  });
  show(coordination);
});

function show({ status, agents, week }) {
  const failed = agents.filter((a) => a.status !== 'ok').map((a) => `${a.agent} (${a.reason})`);
  $('message').textContent = status === 'partial' ? `This is a part only: ${failed.join(', ')} did not answer.` : '';
  $('notes').replaceChildren(...week.notes.map((note) => element('li', note)));
  $('week').replaceChildren(...week.days.map(day));
}

const names = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

function day({ day, totals, meals, sessions }) {
  const card = element('article', '', element('h2', names[day - 1]));
  if (totals) card.append(element('p', `${Math.round(totals.energyKcal)} kcal, ${Math.round(totals.proteinG)} g protein`));
  for (const session of sessions) {
    card.append(
      element('h3', `Training: ${session.focus.replaceAll('_', ' ')}, ${Math.round(session.totalSeconds / 60)} min`),
      element('ul', '', ...session.exercises.map((e) => element('li', `${e.name}${e.sets ? `, ${e.sets} sets` : ''}`))),
    );
  }
  for (const meal of meals) {
    card.append(
      element('h3', meal.meal),
      element('ul', '', ...meal.items.map((item) => element('li', `${item.grams} g ${item.food}`))),
    );
  }
  return card;
}

// watch asks for the agents' status every two seconds; a lost connection is
// made again, later and later up to half a minute.
function watch(attempt) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/ws?token=${encodeURIComponent(token)}`);
  let timer;
  const ask = () => socket.send(JSON.stringify({ type: 'agent_status_request', timestamp: Date.now() }));
  socket.addEventListener('open', () => {
    attempt = 0;
    ask();
    timer = setInterval(ask, 2000);
  });
  socket.addEventListener('message', ({ data }) => {
    const { type, status, agents } = JSON.parse(data);
    if (type !== 'agent_status') return;
    const each = Object.entries(agents).map(([name, state]) => `${name} ${state}`);
    $('agents').textContent = `Agents are ${status}: ${each.join(', ')}`;
  });
  socket.addEventListener('close', () => {
    clearInterval(timer);
    $('agents').textContent = 'The connection is lost; trying again.';
    setTimeout(watch, Math.min(30000, 1000 * 2 ** attempt), attempt + 1);
  });
}
