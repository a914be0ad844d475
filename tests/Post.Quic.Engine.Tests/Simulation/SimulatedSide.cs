using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>One end of a simulated connection: its core, its application, and all that it was told.</summary>
internal sealed class SimulatedSide : IConnectionEvents, IConnectionIdSource
{
    private readonly RandomSource _random;
    private readonly List<CertificateValidationRequest> _validations = [];
    private readonly Dictionary<ulong, MemoryStream> _received = [];
    private readonly HashSet<StreamState> _readable = [];
    private bool _accept;
    private bool _clientHello;

    public SimulatedSide(string name, RandomSource random)
    {
        Name = name;
        _random = random;
    }

    public string Name { get; }

    public ConnectionCore? Core { get; set; }

    public NetworkAddress Address { get; set; }

    public TlsServerOptions? ServerOptions { get; set; }

    public int IdLength { get; set; } = 8;

    public int Length => IdLength;

    public HashSet<ConnectionId> Ids { get; } = [];

    public Dictionary<ConnectionId, StatelessResetToken> Tokens { get; } = [];

    public int IssuedIds { get; private set; }

    public int RetiredIds { get; private set; }

    public bool IsComplete { get; private set; }

    public bool IsConfirmed { get; private set; }

    public bool? EarlyData { get; private set; }

    public int EarlyDataDecisions { get; private set; }

    public ConnectionCloseInfo? Closed { get; private set; }

    public bool IsDrained { get; private set; }

    public List<PathEvent> PathEvents { get; } = [];

    public List<TlsSessionTicket> Tickets { get; } = [];

    public List<byte[]> NewTokens { get; } = [];

    public List<byte[]> Datagrams { get; } = [];

    public Dictionary<ulong, DatagramState> DatagramStates { get; } = [];

    public Dictionary<ulong, ulong> StoppedStreams { get; } = [];

    public HashSet<ulong> SettledStreams { get; } = [];

    public HashSet<ulong> EndedStreams { get; } = [];

    public Dictionary<ulong, ulong> ResetStreams { get; } = [];

    public int ClosedStreams { get; private set; }

    public List<StreamState> Accepted { get; } = [];

    public List<StatelessResetToken> PeerTokens { get; } = [];

    public HashSet<long> WholeSent { get; } = [];

    public HashSet<long> WholeAcknowledged { get; } = [];

    public Dictionary<long, ulong> WholeStopped { get; } = [];

    public Dictionary<ulong, byte[]> WholeReceived { get; } = [];

    /// <summary>Every stream that is accepted is given back what comes on it.</summary>
    public bool Echo { get; set; }

    /// <summary>What is read is counted and not kept.</summary>
    public bool Discard { get; set; }

    /// <summary>The application does not read.</summary>
    public bool IsLazy { get; set; }

    public long BytesRead { get; private set; }

    /// <summary>What else the application does when <see cref="TurnAt"/> has come, which it sets anew.</summary>
    public Action<long>? Turn { get; set; }

    public long TurnAt { get; set; } = long.MaxValue;

    /// <summary>Hears of each datagram's states, as well as <see cref="DatagramStates"/>.</summary>
    public Action<ulong, DatagramState>? DatagramTold { get; set; }

    /// <summary>Takes the datagrams that come, instead of <see cref="Datagrams"/>.</summary>
    public Action<byte[]>? DatagramCame { get; set; }

    public bool WantsWork => Core?.Streams.HasArrived == true || _accept || _clientHello || _validations.Count != 0 || (_readable.Count != 0 && !IsLazy);

    public byte[] Received(ulong streamId) => _received.TryGetValue(streamId, out MemoryStream? data) ? data.ToArray() : [];

    public ConnectionId Issue(out StatelessResetToken token)
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.Fill(bytes);
        token = new StatelessResetToken(bytes);
        _random.Fill(bytes);
        var id = new ConnectionId(bytes[..IdLength]);
        Ids.Add(id);
        Tokens[id] = token;
        IssuedIds++;
        return id;
    }

    public void Retire(in ConnectionId id)
    {
        Assert.IsTrue(Ids.Remove(id), "retired an id twice");
        RetiredIds++;
    }

    /// <summary>The application's turn: answers, accepts and reads.</summary>
    public void Work(long now)
    {
        ConnectionCore core = Core!;
        if (TurnAt <= now)
        {
            TurnAt = long.MaxValue;
            Turn?.Invoke(now);
        }

        if (_clientHello)
        {
            _clientHello = false;
            core.ProvideServerOptions(ServerOptions!, now);
        }

        foreach (CertificateValidationRequest request in _validations.ToArray())
        {
            _validations.Remove(request);
            core.CompleteCertificateValidation(request.Validate(), now);
        }

        if (core.Phase >= ConnectionPhase.Closing)
        {
            _accept = false;
            _readable.Clear();
            return;
        }

        core.Streams.PushArrived(now);
        while (_accept && (core.Streams.TryAccept(true, now, out StreamState? stream)
            || core.Streams.TryAccept(false, now, out stream)))
        {
            Accepted.Add(stream!);
            _readable.Add(stream!);
        }

        _accept = false;
        if (IsLazy)
        {
            return;
        }

        foreach (StreamState stream in _readable)
        {
            Read(stream, now);
        }

        _readable.Clear();
    }

    public void OnClientHello(in ClientHelloInfo info) => _clientHello = true;

    public void OnCertificateToValidate(CertificateValidationRequest request) => _validations.Add(request);

    public void OnHandshakeComplete() => IsComplete = true;

    public void OnHandshakeConfirmed() => IsConfirmed = true;

    public void OnEarlyDataDecided(bool accepted)
    {
        EarlyData = accepted;
        EarlyDataDecisions++;
    }

    public void OnDatagramReceived(ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt) =>
        (DatagramCame ?? Datagrams.Add)(data.ToArray());

    public void OnDatagramState(ulong number, DatagramState state)
    {
        DatagramStates[number] = state;
        DatagramTold?.Invoke(number, state);
    }

    public void OnMaxDatagramSize(int size)
    {
    }

    public void OnPath(in PathEvent change) => PathEvents.Add(change);

    public void OnPathCredit()
    {
    }

    public void OnResetTokenAdded(in NetworkAddress remote, in StatelessResetToken token) => PeerTokens.Add(token);

    public void OnResetTokenRemoved(in NetworkAddress remote, in StatelessResetToken token) =>
        Assert.IsTrue(PeerTokens.Remove(token), "a token was withdrawn that had not been announced");

    public void OnSessionTicket(TlsSessionTicket ticket) => Tickets.Add(ticket);

    public void OnNewToken(ReadOnlySpan<byte> token) => NewTokens.Add(token.ToArray());

    public void OnClosed(in ConnectionCloseInfo info)
    {
        Assert.IsNull(Closed, "closed twice");
        Closed = info;
    }

    public void OnDrained()
    {
        Assert.IsFalse(IsDrained, "drained twice");
        IsDrained = true;
    }

    public void OnStreamReadable(StreamState stream) => _readable.Add(stream);

    public void OnStreamSent(StreamState stream)
    {
    }

    public void OnStreamWritable(StreamState stream)
    {
    }

    public void OnStreamSendSettled(StreamState stream) => SettledStreams.Add(stream.Id);

    public void OnStopSending(StreamState stream, ulong errorCode) => StoppedStreams[stream.Id] = errorCode;

    public void OnStreamRejected(StreamState stream)
    {
    }

    public void OnStreamClosed(StreamState stream) => ClosedStreams++;

    public void OnStreamsToAccept(bool bidirectional) => _accept = true;

    public void OnStreamCredit(bool bidirectional)
    {
    }

    public void OnWholeStreamSent(long token) => WholeSent.Add(token);

    public void OnWholeStreamAcknowledged(long token) =>
        Assert.IsTrue(WholeAcknowledged.Add(token), $"stream {token} was acknowledged twice");

    public void OnWholeStreamStopped(long token, ulong errorCode) => WholeStopped[token] = errorCode;

    public void OnWholeStreamReceived(ulong id, ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt)
    {
        Assert.IsTrue(WholeReceived.TryAdd(id, data.ToArray()), $"stream {id} came twice");
        Core!.Streams.CreditWhole(data.Length, 1, Core.State.Now);
    }

    public void OnStreamArrived(StreamState stream)
    {
        Accepted.Add(stream);
        _readable.Add(stream);
    }

    private void Read(StreamState stream, long now)
    {
        if (stream.Receive is null)
        {
            return;
        }

        byte[] buffer = new byte[64 * 1024];
        ulong id = stream.Id;
        int read;
        while ((read = stream.Read(buffer, now)) > 0)
        {
            BytesRead += read;
            if (Echo)
            {
                Assert.AreEqual(read, stream.Write(buffer.AsSpan(0, read)), "the echo does not fit into the send buffer");
            }

            if (!Discard)
            {
                if (!_received.TryGetValue(id, out MemoryStream? data))
                {
                    _received[id] = data = new MemoryStream();
                }

                data.Write(buffer, 0, read);
            }
        }

        if (stream.Receive is { } receive)
        {
            if (receive.State == ReceiveState.ResetReceived)
            {
                ResetStreams[id] = receive.ResetCode;
                stream.AcknowledgeReset(now);
            }
            else if (receive.State == ReceiveState.DataRead)
            {
                EndedStreams.Add(id);
            }
        }

        if (Echo && EndedStreams.Contains(id))
        {
            stream.Finish();
        }
    }
}
