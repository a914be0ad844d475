using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Post.Quic.Managed;
using Post.Quic.Tests.Transports;
using Post.Sockets;

namespace Post.Quic.Tests.EarlyData;

/// <summary>A client that remembers sessions, and a server behind a relay, which can be started anew.</summary>
internal sealed class EarlyWorld : IAsyncDisposable
{
    /// <summary>While answers are held, what does not happen soon never happens.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ManagedTransport _transport = new();
    private readonly X509Certificate2 _identity = Identity.CreateSelfSigned("server");
    private readonly Channel<(string Text, bool IsEarly)> _received = Channel.CreateUnbounded<(string, bool)>();
    private readonly Local _client;
    private Listener? _listener;

    public EarlyWorld()
    {
        _client = Local.Anonymous with { Sessions = Sessions };
    }

    public UdpRelay Relay { get; } = new();

    public SignalingSessionCache Sessions { get; } = new();

    public KeyFingerprint ServerKey => KeyFingerprint.Of(_identity);

    public static AssociationOptions Early { get; } = new() { AllowEarlyData = true };

    /// <summary>The association that the listener accepted last.</summary>
    public TaskCompletionSource<Association> Accepted { get; private set; } = new();

    /// <summary>Starts the server, or another in its place, which has the same key but knows nothing of earlier sessions.</summary>
    public async Task ListenAsync(AssociationOptions? options = null)
    {
        if (_listener is { } before)
        {
            await before.DisposeAsync();
        }

        _listener = await Listener.ListenAsync(
            _transport,
            Local.At(new IPEndPoint(IPAddress.Loopback, 0), _identity),
            new ListenerOptions { Association = options ?? Early });
        _listener.Register<Accept>(accept =>
        {
            accept.Association.Register<Received>(received => _received.Writer.TryWrite(
                (System.Text.Encoding.UTF8.GetString(received.Object.ToArray()), received.Object.IsEarlyData)));
            Accepted.TrySetResult(accept.Association);
        });
        Relay.StandBefore(_listener.LocalEndPoints[0]);
    }

    public Task<Association> AssociateAsync(CancellationToken cancellationToken, AssociationOptions? options = null)
    {
        Accepted = new TaskCompletionSource<Association>(TaskCreationOptions.RunContinuationsAsynchronously);
        return Association.AssociateAsync(_transport, _client, Remote.Pinned(Relay.EndPoint, ServerKey), options ?? Early, cancellationToken)
            .AsTask()
            .WaitAsync(Patience, cancellationToken);
    }

    /// <summary>Associates once, so that the client has a session and knows what the server said in its HELLO.</summary>
    public async Task MeetAsync(CancellationToken cancellationToken)
    {
        await using Association first = await AssociateAsync(cancellationToken);
        var missing = new List<string> { "hello|", "managed|" };
        while (missing.Count > 0)
        {
            string put = await Sessions.PutAsync(cancellationToken);
            missing.RemoveAll(kind => put.StartsWith(kind, StringComparison.Ordinal));
        }
    }

    /// <summary>The next object that the server's application gets.</summary>
    public Task<(string Text, bool IsEarly)> NextAsync(CancellationToken cancellationToken) =>
        _received.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);

    /// <summary>What came beyond what was asked for.</summary>
    public bool TryNext(out (string Text, bool IsEarly) received) => _received.Reader.TryRead(out received);

    public async ValueTask DisposeAsync()
    {
        Relay.ReleaseAnswers();
        if (_listener is not null)
        {
            await _listener.DisposeAsync();
        }

        await _transport.DisposeAsync();
        await Relay.DisposeAsync();
        _identity.Dispose();
    }
}
