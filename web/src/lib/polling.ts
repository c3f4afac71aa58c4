/**
 * Long polling whose requests end when it is dropped. Engine.IO's own waits for them even when it is closed, and a browser
 * opens six connections to a host: those of two dead sessions would leave none for the next.
 */

import { Fetch, type Socket } from 'engine.io-client';

/** An attempt to connect, and the HTTP answer that refused it; the transport that failed last may be a different one. */
export type Attempt = Socket & { refusal?: Response };

export class Polling extends Fetch {
  readonly #dropped = new AbortController();

  override doPoll(): void {
    void this.#ask(undefined, (text) => this.onData(text));
  }

  override doWrite(data: string, done: () => void): void {
    void this.#ask(data, done);
  }

  drop(): void {
    this.#dropped.abort();
  }

  async #ask(body: string | undefined, answered: (text: string) => void): Promise<void> {
    let text: string;
    let answer: Response | undefined;
    try {
      answer = await fetch(this.uri(), {
        signal: this.#dropped.signal,
        credentials: 'same-origin',
        cache: 'no-store',
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
      text = await answer.text();
      if (!answer.ok) throw answer;
    } catch {
      (this.socket as Attempt).refusal = answer;
      this.onError('polling', undefined);
      return;
    }
    answered(text);
  }
}

/** As many connections as a browser opens to a host. */
const CONNECTIONS = 6;

/**
 * Make sure that the next request is not sent over a connection that died together with the session. A browser keeps
 * unused ones for minutes, and what is sent over a dead one hangs: this uses them all, and drops them when one answers.
 */
export async function renewConnections(address: URL, most: number): Promise<void> {
  const enough = new AbortController();
  const over = setTimeout(() => enough.abort(), most);
  const ask = (): Promise<Response> => fetch(address, { method: 'HEAD', cache: 'no-store', signal: enough.signal });
  await Promise.any(Array.from({ length: CONNECTIONS }, ask)).catch(() => undefined);
  clearTimeout(over);
  enough.abort();
}
