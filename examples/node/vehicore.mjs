// VehiCore's documented Node call. Usage: node vehicore.mjs plate|vin IMAGE
// VEHICORE_URL may name another host; VEHICORE_API_KEY is the key.
import fs from 'node:fs';

const [product, image] = process.argv.slice(2);
const host = process.env.VEHICORE_URL ?? 'https://vehicore-api.dev-stage.fyi';

const formData = new FormData();
const buf = fs.readFileSync(image);
formData.append('image', new Blob([buf], { type: 'image/jpeg' }), `${product}.jpg`);
formData.append('userLanguage', 'en');
const response = await fetch(`${host}/api/ocr/${product}`, {
  method: 'POST',
  headers: { 'X-API-Key': process.env.VEHICORE_API_KEY },
  body: formData,
});
const data = await response.json();
console.log(JSON.stringify(data));
