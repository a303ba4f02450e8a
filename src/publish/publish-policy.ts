/** `policy publish`: a policy with its model card into a repository of a model hub. Nothing leaves this machine before a yes. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { ConfigError } from '../errors.ts'
import type { Open } from '../images/open-model.ts'
import { isHubName } from '../networks/checkpoint/hub-name.ts'
import { hubEndpoint } from '../networks/checkpoint/hub.ts'
import { tellNote } from '../notes.ts'
import { isPolicyFile, policyFileOf } from '../policy/policy-file.ts'
import { progress } from '../progress.ts'
import { loraFileName } from '../run-files.ts'
import { sha256OfFile } from '../sha256.ts'
import { exportPolicy, PolicyExportConfig } from './export-policy.ts'
import { expectSafe, HubRepository, type HubUpload } from './hub-upload.ts'

export const PublishConfig = z.strictObject({
  policy: z.string().min(1).describe('Run of `policy dpok` or another that trains one, or a LoRA file.'),
  repository: z
    .string()
    .refine(isHubName, 'owner/name')
    .describe(
      'Where it goes: owner/name, your account or an organisation of yours and a name. Made where it is not there.',
    ),
  form: z
    .enum(['diffusers', 'kohya', 'attune'])
    .nullable()
    .default(null)
    .describe('How adapters are written, see `policy export`; without it diffusers, and changed weights as they are.'),
  model: optionalText.describe('The model that a LoRA file from elsewhere was trained on.'),
  endpoint: optionalText.describe('Address of the hub; without it that of HF_ENDPOINT, or https://huggingface.co.'),
  private: z.boolean().default(true).describe('Makes a repository that only its owners see.'),
  dryRun: z.boolean().default(false).describe('Lists what would be sent, and sends nothing.'),
  yes: z.boolean().default(false).describe('Says yes beforehand, where no terminal can be asked.'),
})
export type PublishConfig = z.infer<typeof PublishConfig>

const megabyte = 1e6

/**
 * Lists the files and asks; then sends them. The token is that of HF_TOKEN, and goes nowhere but to the hub.
 *
 * @returns address of the commit; of a dry run that of the repository's page
 * @throws {ConfigError} no token, nobody to ask, or an address by which others could read the token
 * @throws {UploadError} the hub refuses
 * @throws {FileError | FormatError} no policy
 */
export async function publishPolicy(config: PublishConfig, open: Open): Promise<string> {
  const { policy, repository, dryRun, yes, private: isPrivate } = config
  const endpoint = hubEndpoint('to publish', 'unset it', config.endpoint)
  expectSafe(endpoint)
  const page = `${endpoint}/${repository}`
  const folder = mkdtempSync(join(tmpdir(), 'attune-publish-'))
  try {
    const files = await filesOf(config, folder, open)
    for (const line of listing(files, page, isPrivate)) process.stderr.write(`${line}\n`)
    if (dryRun) return page
    const token = tokenOfEnvironment()
    if (!yes) await askFor(page)
    const hub = new HubRepository({ endpoint, repository, token })
    if (await hub.create(isPrivate)) tellNote(`${page} was there already: files of these names are replaced`)
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    const bar = progress(`publish ${repository}`, Math.max(1, Math.ceil(total / megabyte)), 'MB')
    let [done, shown] = [0, 0]
    const commit = await hub.commit(files, `Add ${basename(resolve(policy))}`, (bytes, path) => {
      done += bytes
      bar.advance(Math.round(done / megabyte) - shown, path)
      shown = Math.round(done / megabyte)
    })
    bar.done(`${files.length} files`)
    return commit
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function filesOf(
  { policy, repository, form: asked, model }: PublishConfig,
  folder: string,
  open: Open,
): Promise<HubUpload[]> {
  const form = asked ?? (isPolicyFile(policyFileOf(policy)) ? 'attune' : 'diffusers')
  const name = form === 'diffusers' ? loraFileName : `${basename(resolve(policy), '.safetensors')}.safetensors`
  const out = join(folder, name)
  await exportPolicy(PolicyExportConfig.parse({ policy, form, model, out }), open, { repository })
  return readdirSync(folder)
    .sort()
    .map((path) => {
      const file = join(folder, path)
      return { path, file, bytes: statSync(file).size, sha256: sha256OfFile(file) }
    })
}

function listing(files: readonly HubUpload[], page: string, isPrivate: boolean): string[] {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return [
    ...files.map((file) => `${file.path}  ${file.bytes} bytes  sha256 ${file.sha256}`),
    `${files.length} files, ${bytes} bytes, to ${page} (${isPrivate ? 'private' : 'for everybody to see'})`,
  ]
}

/** @throws {ConfigError} none is set */
function tokenOfEnvironment(): string {
  const token = process.env.HF_TOKEN?.trim() ?? ''
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new ConfigError({
    where: 'HF_TOKEN',
    expected: 'a token of the hub that may write',
    received: token === '' ? 'nothing' : 'something that cannot be one',
    remedy: 'set it in the environment of this command; it is not kept anywhere',
  })
}

/** @throws {ConfigError} nobody can be asked, or the answer is no */
async function askFor(page: string): Promise<void> {
  const refuse = (received: string, remedy: string) =>
    new ConfigError({ where: 'policy publish', expected: `a yes before anything is sent to ${page}`, received, remedy })
  if (!process.stdin.isTTY) throw refuse('no terminal to ask at', 'look at the list above, and say --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question('Publish these files? yes or no: ')
    if (!/^y(es)?$/i.test(answer.trim()))
      throw refuse(answer.trim() === '' ? 'nothing' : 'another answer', 'nothing was sent')
  } finally {
    terminal.close()
  }
}
