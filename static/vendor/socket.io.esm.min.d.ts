// The part of socket.io-client's API that the SDK uses.
export interface Socket {
  readonly id: string | undefined;
  readonly connected: boolean;
  readonly active: boolean;
  readonly io: { on(event: string, listener: (...args: any[]) => void): void };
  connect(): Socket;
  disconnect(): Socket;
  on(event: string, listener: (...args: any[]) => void): Socket;
  onAny(listener: (event: string, ...args: any[]) => void): Socket;
  emit(event: string, ...args: any[]): Socket;
  timeout(ms: number): { emit(event: string, ...args: any[]): Socket };
  volatile: Socket;
}
export function io(url: string, options: Record<string, unknown>): Socket;
