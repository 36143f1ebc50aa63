// Copyright 2026 the Partisan peer-service authors. MIT license.

import { startPeerService } from "@partisan/peer-service";
import { assertEquals } from "@std/assert";
import { answer, Chat } from "../../examples/chat.ts";
import { BrowserPage, chromiumPath } from "../chromium.ts";

Deno.test({
  name: "The page of the chat shows who is there and what is said, on two nodes, in Chromium",
  ignore: chromiumPath === undefined,
  async fn() {
    await using a = await startPeerService({ name: "a", listen: "127.0.0.1:0", preset: "local" });
    await using b = await startPeerService({ name: "b", listen: "127.0.0.1:0", preset: "local" });
    await b.syncJoin(a.spec);
    const servers = [a, b].map((node) => {
      const chat = new Chat(node);
      return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => answer(chat, request));
    });
    {
      await using ada = await BrowserPage.open(`http://127.0.0.1:${servers[0]?.addr.port}/?user=ada`);
      {
        await using bob = await BrowserPage.open(`http://127.0.0.1:${servers[1]?.addr.port}/?user=bob`);
        for (const page of [ada, bob]) await page.until(`document.getElementById("users").textContent === "ada, bob"`);
        await bob.evaluate(
          `document.getElementById("text").value = "<b>hello</b>"; document.querySelector("button").click()`,
        );
        await ada.until(`document.querySelector("li") !== null`);
        assertEquals(await ada.evaluate(`document.getElementById("lines").textContent`), "bob: <b>hello</b>");
      }
      await ada.until(`document.getElementById("users").textContent === "ada"`);
    }
    await Promise.all(servers.map((server) => server.shutdown()));
  },
});
