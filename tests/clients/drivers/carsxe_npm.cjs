// Asks with the published npm package, as a user's program does: questions on stdin, answers as the last line.
const { CarsXE } = require('carsxe-api');

// Some replies are never settled: the event loop runs dry while a question is open.
const NEVER = 'never settles';
let giveUp = () => {};
process.on('beforeExit', () => giveUp());

function ask(question) {
  const open = new Promise((resolve) => { giveUp = () => resolve({ error: NEVER }); });
  return Promise.race([put(question), open]).finally(() => { giveUp = () => {}; });
}

async function put(question) {
  const client = new CarsXE(question.key);
  const method = question.product === 'plate' ? 'plateImageRecognition' : 'vinOcr';
  const before = performance.now();
  try {
    const answer = await client[method]({ imageUrl: question.url });
    return { answer, seconds: (performance.now() - before) / 1000 };
  } catch (error) {
    return { error: error.constructor.name };
  }
}

async function main() {
  const answers = [];
  for (const question of JSON.parse(require('fs').readFileSync(0, 'utf8'))) answers.push(await ask(question));
  console.log(JSON.stringify(answers));
}

main();
