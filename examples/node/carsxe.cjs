// The published CarsXE client, as any program uses it: npm install, then node carsxe.cjs IMAGE_URL
const { CarsXE } = require('carsxe-api');

const client = new CarsXE(process.env.CARSXE_API_KEY);

client.plateImageRecognition({ imageUrl: process.argv[2] }).then((answer) => {
  console.log(JSON.stringify(answer));
});
