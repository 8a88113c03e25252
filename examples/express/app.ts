import express from "express";
import { z } from "zod";

const Order = z.object({
  customer: z.string().min(1),
  items: z
    .array(z.object({ name: z.string(), price: z.number().positive(), count: z.number().int().positive() }))
    .min(1),
});

const app = express();
app.use(express.json());

app.get("/", (_, response) => {
  response.send("Hello from Express");
});

/** Checks an order and says what it costs. */
app.post("/orders", (request, response) => {
  const order = Order.safeParse(request.body);
  if (!order.success) {
    response
      .status(400)
      .json({ errors: order.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) });
    return;
  }
  const { customer, items } = order.data;
  const total = items.reduce((sum, { price, count }) => sum + price * count, 0);
  response.status(201).json({ customer, total: Number(total.toFixed(2)) });
});

// As most applications do: loopool takes the server that is started here, and opens no port for it.
app.listen(Number(process.env.PORT ?? 3000), () => {
  console.error("orders are taken");
});
