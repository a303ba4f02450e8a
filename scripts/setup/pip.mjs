/** Python's pip, as a downloader: nothing of Python runs once the set-up is done. */
import { mkdirSync } from 'node:fs'
import { SetupStop, ask, debianOrMac, show } from './shell.mjs'

export const byHand = ['or unpack libtorch from pytorch.org yourself and set LIBTORCH to its folder']

/**
 * Installs packages into the folder `target`, unpacking them in `temporary`, which should be on the same disk.
 * @throws {SetupStop}
 */
export async function pipInstall(target, temporary, words) {
  mkdirSync(temporary, { recursive: true })
  const environment = {
    // pip unpacks in TMPDIR first: /tmp may be a small disk.
    TMPDIR: temporary,
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_ROOT_USER_ACTION: 'ignore',
  }
  const quiet = process.stderr.isTTY ? [] : ['--quiet']
  const base = ['-m', 'pip', 'install', ...quiet, '--progress-bar', 'on', '--no-compile', '--target', target]
  const { code, output } = await show('python3', [...base, ...words], environment)
  if (code !== 0) throw pipStop(words, output)
}

/** Whether an index can be reached and has this version, such as `2.13.0+cu126`, of torch. */
export function indexOffers(index, version) {
  const words = ['-m', 'pip', 'index', 'versions', 'torch', '--index-url', index, '--timeout', '5', '--retries', '0']
  const { code, stdout } = ask('python3', words, { PIP_NO_INPUT: '1' })
  return code === 0 && stdout.includes(version)
}

/** @throws {SetupStop} there is no python3, or none with pip */
export function expectPip() {
  if (ask('python3', ['--version']).code !== 0) {
    const commands = debianOrMac('sudo apt-get install python3 python3-pip', 'brew install python')
    throw new SetupStop('python3 is not there; its pip downloads libtorch', ...commands, ...byHand)
  }
  if (ask('python3', ['-m', 'pip', '--version']).code !== 0) {
    const commands = debianOrMac('sudo apt-get install python3-pip', 'python3 -m ensurepip --upgrade')
    throw new SetupStop('python3 has no pip, which downloads libtorch', ...commands, ...byHand)
  }
}

function pipStop(words, output) {
  if (/No space left|Errno 28/i.test(output)) {
    return new SetupStop('the disk is full', 'free about 4 GB and run the same command again')
  }
  const unmatched = /No matching distribution|not a supported wheel/i.test(output)
  const python = ask('python3', ['--version']).stdout.trim()
  const minor = Number(/^Python 3\.(\d+)/.exec(python)?.[1])
  // pip says "from versions: none" both of an index that it cannot reach and of a Python that it has no wheel for.
  const unreachable = /NewConnectionError|ConnectTimeout|ReadTimeout|name resolution|Max retries|ProxyError/i.test(
    output,
  )
  if (unreachable || (unmatched && output.includes('from versions: none') && minor >= 10 && minor <= 14)) {
    return new SetupStop(
      'pip cannot reach its index',
      'connect this machine to the network and run the same command again',
      'behind a proxy:  export HTTPS_PROXY=http://HOST:PORT',
      ...byHand,
    )
  }
  if (unmatched) {
    return new SetupStop(
      `there is no ${words.find((word) => word.includes('=='))} for ${python}, pip and this machine`,
      'use a Python from 3.10 to 3.14 and a recent pip (python3 -m pip install --upgrade pip)',
      ...byHand,
    )
  }
  return new SetupStop('pip could not install libtorch (its own words are above)', 'mend that and run again', ...byHand)
}
