/** The server as a process of its own, which can be killed like any other. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface StudioProcess {
  readonly pid: number
  /** From its start until it listened. */
  readonly startMs: number
  /** Ends it at once with SIGKILL, or in good order with SIGTERM. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

/** @param flags of `attune studio` */
export async function startProcess(...flags: readonly string[]): Promise<StudioProcess> {
  const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
  const began = performance.now()
  const child = spawn(process.execPath, [cli, 'studio', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  const stopAtOnce = () => child.kill('SIGKILL')
  process.once('exit', stopAtOnce)
  let said = ''
  child.stderr.setEncoding('utf8')
  await new Promise<void>((listening, failed) => {
    child.stderr.on('data', (text: string) => {
      said += text
      if (said.includes('studio: http')) listening()
    })
    child.once('exit', () => failed(new TypeError(`the studio does not start:\n${said}`)))
  })
  return {
    pid: child.pid!,
    startMs: performance.now() - began,
    async end(signal) {
      child.kill(signal)
      await exited
      process.off('exit', stopAtOnce)
    },
  }
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
