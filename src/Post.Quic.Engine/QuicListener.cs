using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Endpoint;

namespace Post.Quic.Engine;

/// <summary>Waits for clients.</summary>
public sealed class QuicListener : IAsyncDisposable
{
    private readonly EndpointHost _host;
    private readonly bool _ownsHost;
    private readonly Channel<QuicConnection> _accepted;
    private readonly CancellationTokenSource _stopping = new();
    private bool _isDisposed;

    private QuicListener(QuicListenerOptions options, EndpointHost host, bool ownsHost)
    {
        Options = options;
        _host = host;
        _ownsHost = ownsHost;
        Stopping = _stopping.Token;
        _accepted = Channel.CreateBounded<QuicConnection>(options.ListenBacklog);
    }

    /// <summary>Where it listens, with the port that the system chose.</summary>
    public IPEndPoint LocalEndPoint => _host.LocalAddress.ToEndPoint();

    internal QuicListenerOptions Options { get; }

    /// <summary>What clients that connected by IPv4 are asked to move to, or none.</summary>
    internal NetworkAddress PreferredIPv4 { get; private set; }

    /// <summary>Likewise by IPv6.</summary>
    internal NetworkAddress PreferredIPv6 { get; private set; }

    /// <summary>Fires when the listener is disposed.</summary>
    internal CancellationToken Stopping { get; }

    /// <summary>Begins to listen.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="cancellationToken">Not used: opening a socket does not wait.</param>
    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use or not of this machine.</exception>
    public static ValueTask<QuicListener> ListenAsync(QuicListenerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        EndpointHost host = options.Endpoint?.Host
            ?? new EndpointHost(new QuicEndpointOptions
            {
                LocalEndPoint = options.ListenEndPoint,
                DualMode = options.DualMode,
                DedicatedThread = true,
                Use = EndpointUse.Listening,
                StatelessResetKey = options.StatelessResetKey,
                TokenKey = options.TokenKey,
                TimeProvider = options.TimeProvider,
                LoggerFactory = options.LoggerFactory,
                MeterFactory = options.MeterFactory,
            });
        var listener = new QuicListener(options, host, ownsHost: options.Endpoint is null);
        try
        {
            listener.OpenPreferred();
        }
        catch (Exception) when (options.Endpoint is null)
        {
            host.Dispose();
            throw;
        }

        host.StartListening(listener, new IncomingPolicy { Retry = options.Retry, MaxHandshakes = options.MaxConcurrentHandshakes });
        return ValueTask.FromResult(listener);
    }

    /// <summary>Waits for the next connection whose handshake is complete, or which brings early data.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ObjectDisposedException">The listener was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public async ValueTask<QuicConnection> AcceptConnectionAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _accepted.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(QuicListener));
        }
    }

    /// <summary>
    /// Stops listening and refuses who was not accepted yet. Accepted connections go on; the socket closes with the last
    /// of them.
    /// </summary>
    /// <returns>When nobody is let in any more.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        _host.StopListening(this);
        await _stopping.CancelAsync().ConfigureAwait(false);
        _accepted.Writer.TryComplete();
        while (_accepted.Reader.TryRead(out QuicConnection? unwanted))
        {
            await unwanted.DisposeAsync().ConfigureAwait(false);
        }

        if (_ownsHost)
        {
            _host.DisposeWhenUnused();
        }

        _stopping.Dispose();
    }

    /// <summary>
    /// The sockets stay open as long as the endpoint: accepted connections may have moved there, and outlive the listener.
    /// </summary>
    private void OpenPreferred()
    {
        foreach (IPEndPoint wanted in Options.PreferredEndPoints)
        {
            int port = wanted.Port != 0 ? wanted.Port : _host.LocalAddress.Port;
            var address = NetworkAddress.FromEndPoint(new IPEndPoint(wanted.Address, port));
            _ = _host.TakeSocket(address);
            if (wanted.AddressFamily == AddressFamily.InterNetwork)
            {
                PreferredIPv4 = address;
            }
            else
            {
                PreferredIPv6 = address;
            }
        }
    }

    /// <summary>Hands over a connection; false when too many wait already.</summary>
    internal bool TryOffer(QuicConnection connection) => _accepted.Writer.TryWrite(connection);
}
