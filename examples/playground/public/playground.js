// @ts-nocheck: it is a page's script.
const element = (id) => document.getElementById(id);

// What scrolls can be scrolled with the keyboard.
for (const id of ['frames', 'result']) element(id).tabIndex = 0;

const statements = await (await fetch('/statements')).json();
for (const [index, { title }] of statements.entries()) element('statement').add(new Option(title, index));
const choose = () => {
  const { sql, about } = statements[element('statement').value];
  element('sql').value = sql;
  element('about').textContent = about;
};
element('statement').addEventListener('change', choose);
choose();

/** A cell as psql would show it. */
const cell = (value) => (value === null ? 'null' : typeof value === 'object' ? JSON.stringify(value) : String(value));

function table({ columns, rows, more, command, count }) {
  const body = document.createElement('table');
  for (const [index, row] of [columns, ...rows].entries()) {
    const line = body.insertRow();
    for (const value of row)
      line.append(
        Object.assign(document.createElement(index ? 'td' : 'th'), { textContent: index ? cell(value) : value }),
      );
  }
  const note = document.createElement('p');
  note.textContent = more ? `The first ${rows.length} rows.` : `${command} ${count ?? ''}`;
  return columns.length ? [body, note] : [note];
}

function complaint({ message, code, detail, hint }) {
  const text = document.createElement('p');
  text.className = 'error';
  text.textContent = [`${code ? `${code}: ` : ''}${message}`, detail, hint].filter(Boolean).join('\n');
  return [text];
}

async function run() {
  element('run').disabled = true;
  try {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ sql: element('sql').value });
    const { result, error } = await (await fetch('/run', { method: 'POST', headers, body })).json();
    element('result').replaceChildren(...(error ? complaint(error) : table(result)));
  } catch (error) {
    element('result').replaceChildren(...complaint(error));
  } finally {
    element('run').disabled = false;
  }
}
element('run').addEventListener('click', run);
element('sql').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run();
});

/** Reads a stream as bytes, as curl does. */
let reading;
async function watch() {
  reading?.abort();
  reading = new AbortController();
  const { signal } = reading;
  const user = element('whose').value;
  const query = new URLSearchParams(user ? { as: user } : {});
  const { topic, seal } = await (await fetch(`/seal?${query}`)).json();
  query.append('topic', topic);
  if (seal) query.append('seal', seal);
  element('frames').textContent = '';
  const response = await fetch(`/realtime/sse/?${query}`, { signal, cache: 'no-cache' });
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const { textContent } = element('frames');
    element('frames').textContent = (textContent + chunk).slice(-20_000);
    element('frames').scrollTop = element('frames').scrollHeight;
  }
}
/** After a cut or a restart of the server the stream is opened anew; a change of the pane aborts the old one. */
const follow = () => {
  watch().then(
    () => setTimeout(follow, 1000),
    (error) => error.name === 'AbortError' || setTimeout(follow, 1000),
  );
};
element('whose').addEventListener('change', follow);
follow();
