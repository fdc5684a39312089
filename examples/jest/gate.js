// The application: which car stands before the gate?
exports.plateAtTheGate = async (url, key, photo) => {
  const form = new FormData();
  form.append('image', new Blob([photo]), 'car.jpg');
  const reply = await fetch(`${url}/api/ocr/plate`, { method: 'POST', headers: { 'X-API-Key': key }, body: form });
  if (!reply.ok) throw new Error(`${reply.status} ${(await reply.json()).message}`);
  return (await reply.json()).result || null;
};
