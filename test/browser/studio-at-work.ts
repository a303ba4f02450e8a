/** A whole studio as a person meets it: its own folder and port, real jobs, the built pages. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type StudioClient } from '../../src/studio/client.ts'
import type { OpenedStudio } from '../../src/studio/open-studio.ts'
import type { FoundGpus } from '../../src/studio/devices/devices.ts'
import { startStudio, StudioConfig } from '../../src/studio/start-studio.ts'

export interface StudioAtWork extends AsyncDisposable {
  /** `http://127.0.0.1:40123` */
  readonly address: string
  readonly studio: OpenedStudio
  /** What the first admin is sent, where accounts are asked for. */
  readonly invitation: string | null
  /** Asks the server what it holds. */
  readonly client: StudioClient
}

/** @param gpus as if the machine had these */
export async function studioAtWork(settings: Partial<StudioConfig> = {}, gpus?: FoundGpus): Promise<StudioAtWork> {
  const folder = mkdtempSync(join(tmpdir(), 'attune-browser-'))
  const running = await startStudio(
    StudioConfig.parse({ workspace: join(folder, 'studio'), port: 0, ...settings }),
    gpus,
  )
  // An address for all is reached by that of this machine.
  const address = running.address.replace('0.0.0.0', '127.0.0.1')
  return {
    address,
    studio: running.studio,
    invitation: running.invitation?.replace('0.0.0.0', '127.0.0.1') ?? null,
    client: createClient(address, { rater: () => 'the test' }),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
