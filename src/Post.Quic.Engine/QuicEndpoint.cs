using System.Net;
using Post.Quic.Engine.Endpoint;

namespace Post.Quic.Engine;

/// <summary>
/// A UDP socket that any number of connections share, outgoing and incoming ones. Most programs need none: without one,
/// <see cref="QuicListener.ListenAsync"/> and <see cref="QuicConnection.ConnectAsync"/> open their own.
/// </summary>
public sealed class QuicEndpoint : IAsyncDisposable
{
    private QuicEndpoint(EndpointHost host) => Host = host;

    /// <summary>Where it is bound, with the port that the system chose.</summary>
    public IPEndPoint LocalEndPoint => Host.LocalAddress.ToEndPoint();

    internal EndpointHost Host { get; }

    /// <summary>Opens an endpoint.</summary>
    /// <param name="options">Where and how.</param>
    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use or not of this machine.</exception>
    public static QuicEndpoint Open(QuicEndpointOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return new QuicEndpoint(new EndpointHost(options));
    }

    /// <summary>Closes the socket. Connections on it end without another word: close them first.</summary>
    /// <returns>When it is closed.</returns>
    public ValueTask DisposeAsync()
    {
        Host.Dispose();
        return ValueTask.CompletedTask;
    }
}
