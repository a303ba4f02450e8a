/** Requests that tell how much of what they bring has been sent, which `fetch` does not. */

/** @param tell is given the share that has been sent, 0 to 1 */
export const sendingFetch =
  (tell: (share: number) => void): typeof globalThis.fetch =>
  (input, { method = 'GET', headers, body = null } = {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open(method, String(input))
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value)
      request.upload.onprogress = ({ loaded, total }) => tell(total === 0 ? 1 : loaded / total)
      request.onload = () => resolve(new Response(request.response as string, { status: request.status }))
      request.onerror = ({ type }) => reject(new TypeError(type))
      request.send(body as FormData)
    })
