import express from "express";

enum Colour {
  Red = "red",
}

const app = express();
app.get("/", (_, response) => {
  response.send(`${Colour.Red} ${__dirname.split("/").at(-1)}`);
});

export default app;
