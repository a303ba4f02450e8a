import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const hint = JSON.stringify(new URL('./resume-hint.ts', import.meta.url).href)

/** What is said after a process has ended that announced a run folder with these files. */
function said(files: readonly string[], words: readonly string[], end: string): string {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'attune-hint-'))
  for (const name of files) writeFileSync(join(folder.path, name), '{}')
  const script = `import { tellHowToResume } from ${hint}
    tellHowToResume(${JSON.stringify(folder.path)}, ${JSON.stringify(words)})
    setTimeout(() => ${end}, 300)`
  // Its standard error is closed when the last process that writes to it has ended.
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stderr
}

test('a process that is ended from outside leaves the command that goes on with its run, and no other does', () => {
  const words = ['policy', 'dpok', '--prompt', "a cat's hat", '--out', 'runs/a']
  const told = `stopped; to go on: attune policy dpok --prompt 'a cat'\\''s hat' --out runs/a --resume\n`
  const killed = (signal: string) => `process.kill(process.pid, '${signal}')`
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL']) {
    assert.equal(said(['config.json'], words, killed(signal)), told, signal)
  }
  assert.equal(said(['config.json'], [...words, '--resume'], killed('SIGINT')), told)
  assert.equal(said(['config.json', 'manifest.json'], words, killed('SIGINT')), '')
  assert.equal(said([], words, killed('SIGINT')), '')
  assert.equal(said(['config.json'], words, 'process.exit(1)'), '')
})
