using System.Net;
using System.Net.Sockets;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>Where to look for a <see cref="Remote"/>, in the order to try.</summary>
internal static class RemoteAddresses
{
    /// <summary>
    /// Connects to the first address that answers; the failure of the last one is what the caller hears of. Names are resolved here, since
    /// each address wants a local one of its own family.
    /// </summary>
    public static async ValueTask<TransportConnection> ConnectToAnyAsync(
        Remote remote,
        Func<IPEndPoint, ValueTask<TransportConnection>> connect,
        Func<Exception, TransportException> translate,
        CancellationToken cancellationToken,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        IReadOnlyList<IPAddress> addresses;
        try
        {
            addresses = await ResolveAsync(remote, resolve ?? Dns.GetHostAddressesAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException exception)
        {
            throw new TransportException(
                TransportErrorReason.HostNotFound,
                $"The host '{remote.Host}' of {remote} leads to no address ({exception.Message}). Check its spelling and the name servers, or "
                + "give its addresses in Remote.Addresses.",
                innerException: exception);
        }

        var tried = new List<string>();
        for (int i = 0; ; i++)
        {
            try
            {
                return await connect(new IPEndPoint(addresses[i], remote.Port)).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                TransportException failure = translate(exception);
                tried.Add($"{new IPEndPoint(addresses[i], remote.Port)}: {failure.Message}");
                if (i + 1 == addresses.Count || !IsWorthAnother(remote, failure.Reason))
                {
                    throw new TransportException(
                        failure.Reason,
                        $"No connection with {remote}. {string.Join(" ", tried)}",
                        failure.ErrorCode,
                        failure.InnerException);
                }
            }
        }
    }

    // The addresses of a name belong to one host, so another one helps only where there was no answer. Those that a Remote lists may belong to several hosts.
    private static bool IsWorthAnother(Remote remote, TransportErrorReason reason) => remote.Addresses.Count > 0
        || reason is TransportErrorReason.Unreachable or TransportErrorReason.TimedOut or TransportErrorReason.Refused
            or TransportErrorReason.LocalAddressUnavailable;

    private static async ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(
        Remote remote, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancellationToken)
    {
        if (remote.Addresses.Count > 0)
        {
            return remote.Addresses;
        }

        if (IPAddress.TryParse(remote.Host, out IPAddress? literal))
        {
            return [literal];
        }

        IPAddress[] found = await resolve(remote.Host, cancellationToken).ConfigureAwait(false);
        return found.Length > 0 ? found : throw new SocketException((int)SocketError.HostNotFound);
    }
}
