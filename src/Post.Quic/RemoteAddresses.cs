using System.Net;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>Where to look for a <see cref="Remote"/>, in the order to try.</summary>
internal static class RemoteAddresses
{
    /// <summary>Connects to the first address that answers; the failure of the last one is what the caller hears of.</summary>
    public static async ValueTask<TransportConnection> ConnectToAnyAsync(
        Remote remote,
        Func<EndPoint, ValueTask<TransportConnection>> connect,
        Func<Exception, TransportException> translate)
    {
        Exception? failure = null;
        foreach (EndPoint address in Of(remote))
        {
            try
            {
                return await connect(address).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                failure = exception;
            }
        }

        throw translate(failure!);
    }

    private static IEnumerable<EndPoint> Of(Remote remote)
    {
        if (remote.Addresses.Count > 0)
        {
            return remote.Addresses.Select(EndPoint (address) => new IPEndPoint(address, remote.Port));
        }

        return
        [
            IPAddress.TryParse(remote.Host, out IPAddress? literal)
                ? new IPEndPoint(literal, remote.Port)
                : new DnsEndPoint(remote.Host, remote.Port),
        ];
    }
}
