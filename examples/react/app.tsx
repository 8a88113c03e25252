import type { IncomingMessage, ServerResponse } from "node:http";
import type { ReactNode } from "react";
import { renderToPipeableStream } from "react-dom/server";

/** A page of a shop, rendered on the server for each request: /?rows=200. NODE_ENV decides how fast React is. */
interface Product {
  readonly name: string;
  readonly price: number;
}

function Row({ name, price }: Product): ReactNode {
  return (
    <tr>
      <td>{name}</td>
      <td>{price.toFixed(2)} €</td>
    </tr>
  );
}

function Shop({ products }: { readonly products: readonly Product[] }): ReactNode {
  return (
    <html lang="en">
      <head>
        <title>Shop</title>
      </head>
      <body>
        <h1>Hello from React</h1>
        <table>
          <tbody>
            {products.map((product) => (
              <Row key={product.name} {...product} />
            ))}
          </tbody>
        </table>
      </body>
    </html>
  );
}

function productsFor(rows: number): readonly Product[] {
  return Array.from({ length: rows }, (_, i) => ({ name: `Product ${i + 1}`, price: 1 + ((i * 37) % 100) }));
}

export default function render({ url }: IncomingMessage, response: ServerResponse): void {
  const { searchParams } = new URL(url ?? "/", "http://localhost");
  const rows = Math.min(10_000, Number(searchParams.get("rows") ?? 200));
  const { pipe, abort } = renderToPipeableStream(<Shop products={productsFor(rows)} />, {
    onShellReady() {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      pipe(response);
    },
    onShellError() {
      response.writeHead(500).end("the page cannot be rendered");
    },
  });
  response.on("close", () => {
    if (!response.writableFinished) abort();
  });
}
