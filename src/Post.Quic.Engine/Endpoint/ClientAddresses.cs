using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Engine.Endpoint;

/// <summary>The addresses that a client tries, and whether to go on to the next.</summary>
internal static class ClientAddresses
{
    public static async ValueTask<IPEndPoint[]> ResolveAsync(EndPoint remote, CancellationToken cancellationToken)
    {
        if (remote is IPEndPoint address)
        {
            return [address];
        }

        var name = (DnsEndPoint)remote;
        IPAddress[] found = await Dns.GetHostAddressesAsync(name.Host, name.AddressFamily, cancellationToken).ConfigureAwait(false);
        return found.Length > 0
            ? [.. found.Select(one => new IPEndPoint(one, name.Port))]
            : throw new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>
    /// Refuses a link-local address without its interface: Linux would choose any interface, and the attempt would end in a timeout.
    /// </summary>
    /// <exception cref="QuicException">It is link-local, and neither it nor the local address names an interface.</exception>
    public static void Check(IPEndPoint remote, IPEndPoint? local)
    {
        if (remote.Address is { IsIPv6LinkLocal: true, ScopeId: 0 } && local?.Address is not { IsIPv6LinkLocal: true, ScopeId: not 0 })
        {
            throw SocketError.InvalidArgument.ToException();
        }
    }

    /// <summary>Another address of the same name can only help where nobody answered at this one.</summary>
    public static bool IsWorthAnother(Exception exception) =>
        exception is SocketException or QuicException { QuicError: QuicError.ConnectionTimeout or QuicError.ConnectionRefused or QuicError.Unreachable };

    /// <summary>The name that the server's certificate must bear, where the options give none.</summary>
    public static string HostOf(EndPoint remote) =>
        remote is DnsEndPoint name ? name.Host : ((IPEndPoint)remote).Address.ToString();
}
