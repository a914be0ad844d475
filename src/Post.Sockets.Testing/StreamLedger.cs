using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>The streams of one end: opening within the peer's limit, accepting, and what the peer may open in turn.</summary>
internal sealed class StreamLedger
{
    private const int Kinds = 2;

    private readonly InMemoryConnection _connection;
    private readonly long[] _opened = new long[Kinds];
    private readonly long[] _limit = new long[Kinds];
    private readonly long[] _inboundLimit = new long[Kinds];
    private readonly long[] _inboundTold = new long[Kinds];
    private readonly Queue<OpenWait>[] _openWaits = [new(), new()];
    private readonly Queue<InMemoryStream> _unaccepted = new();
    private readonly PendingOperation<TransportStream> _accept;
    private InMemoryStream? _first;

    public StreamLedger(InMemoryConnection connection)
    {
        _connection = connection;
        _accept = new PendingOperation<TransportStream>(connection.Network.Clock);
        for (int kind = 0; kind < Kinds; kind++)
        {
            _limit[kind] = MaxOf(connection.PeerLimits, kind);
            _inboundLimit[kind] = MaxOf(connection.Limits, kind);
            _inboundTold[kind] = _inboundLimit[kind];
        }
    }

    public InMemoryStream? TryOpen(TransportStreamKind kind, in TransportPriority priority)
    {
        int index = (int)kind;
        if (_opened[index] >= _limit[index] || _connection.HasUntoldRejection)
        {
            return null;
        }

        // Numbered as QUIC does: the lowest bit says who, the next which kind.
        long id = (_opened[index]++ * 4) + (kind == TransportStreamKind.Unidirectional ? 2 : 0) + (_connection.IsClient ? 0 : 1);
        var stream = new InMemoryStream(_connection, id, kind, isLocal: true, isEarlyData: false, priority);
        Add(stream);
        return stream;
    }

    public ValueTask<TransportStream> OpenAsync(
        TransportStreamKind kind, in TransportPriority priority, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<TransportStream>(cancellationToken);
        }

        if (_openWaits[(int)kind].Count == 0 && TryOpen(kind, priority) is { } stream)
        {
            return ValueTask.FromResult<TransportStream>(stream);
        }

        var wait = new OpenWait(_connection.Network, kind, priority);
        _openWaits[(int)kind].Enqueue(wait);
        return wait.Start(cancellationToken);
    }

    public ValueTask<TransportStream> AcceptAsync(CancellationToken cancellationToken)
    {
        if (_accept.IsUnderWay)
        {
            throw new InvalidOperationException("An accept of a stream is still under way.");
        }

        if (_connection.Has(TransportCapabilities.WholeStreams))
        {
            return ValueTask.FromException<TransportStream>(new TransportException(
                TransportErrorReason.NotSupported, "This connection raises an event for each stream that the peer opens."));
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<TransportStream>(cancellationToken);
        }

        if (_unaccepted.TryDequeue(out InMemoryStream? stream))
        {
            return ValueTask.FromResult<TransportStream>(stream);
        }

        return _connection.Failure is { } failure
            ? ValueTask.FromException<TransportStream>(failure.Again())
            : _accept.Start(this, static (ledger, token) => ((StreamLedger)ledger!).CancelAccept(token), cancellationToken);
    }

    /// <summary>Our end of a stream of which something of the peer's arrived.</summary>
    /// <param name="half">The peer's end.</param>
    /// <param name="isEarlyData">It came before the handshake was complete.</param>
    /// <param name="isWhole">All of it came: it is offered whole before it is announced as a stream.</param>
    /// <param name="isNew">It was not known before.</param>
    public InMemoryStream Inbound(InMemorySendHalf half, bool isEarlyData, bool isWhole, out bool isNew)
    {
        isNew = false;
        InMemoryStream theirs = half.Stream;
        if (theirs.Peer is { } known)
        {
            return known;
        }

        var stream = new InMemoryStream(
            _connection, theirs.Id, theirs.Kind, isLocal: false, isEarlyData,
            new TransportPriority(0, TransportPriority.NoDeadline, Incremental: true, theirs.Id))
        {
            Peer = theirs,
        };
        theirs.Peer = stream;
        Add(stream);
        isNew = true;
        if (_connection.Has(TransportCapabilities.WholeStreams))
        {
            if (!isWhole)
            {
                _connection.ReportAccepted(stream);
            }
        }
        else if (_accept.IsPending)
        {
            _accept.Complete(stream);
        }
        else
        {
            _unaccepted.Enqueue(stream);
        }

        return stream;
    }

    public void OnLimit(TransportStreamKind kind, long limit)
    {
        _limit[(int)kind] = Math.Max(_limit[(int)kind], limit);
        ServeOpenWaits(kind);
    }

    /// <summary>Streams can be opened again.</summary>
    public void ServeOpenWaits()
    {
        ServeOpenWaits(TransportStreamKind.Unidirectional);
        ServeOpenWaits(TransportStreamKind.Bidirectional);
    }

    public void Remove(InMemoryStream stream)
    {
        if (stream.Previous is not null)
        {
            stream.Previous.Next = stream.Next;
        }
        else
        {
            _first = stream.Next;
        }

        if (stream.Next is not null)
        {
            stream.Next.Previous = stream.Previous;
        }

        stream.Previous = null;
        stream.Next = null;
        if (!stream.IsLocal)
        {
            _inboundLimit[(int)stream.Kind]++;
            _connection.TellLate();
        }
    }

    public void TellLimits()
    {
        for (int kind = 0; kind < Kinds; kind++)
        {
            if (_inboundTold[kind] != _inboundLimit[kind])
            {
                _inboundTold[kind] = _inboundLimit[kind];
                _connection.Tell(new LinkMessage(LinkMessageKind.StreamCount, null, _inboundLimit[kind], kind));
            }
        }
    }

    public void FailAll(TransportException failure)
    {
        FailOpen(failure);
        _accept.Fail(failure.Again());
        foreach (OpenWait wait in _openWaits.SelectMany(waits => waits))
        {
            wait.Fail(failure.Again());
        }
    }

    /// <summary>Fails the streams that there are, and forgets that they were opened.</summary>
    public void ForgetEarlyData(TransportException failure)
    {
        FailOpen(failure);
        _first = null;
    }

    private void ServeOpenWaits(TransportStreamKind kind)
    {
        Queue<OpenWait> waits = _openWaits[(int)kind];
        while (waits.TryPeek(out OpenWait? wait))
        {
            if (wait.IsPending)
            {
                if (TryOpen(kind, wait.Priority) is not { } stream)
                {
                    return;
                }

                wait.Complete(stream);
            }

            waits.Dequeue();
        }
    }

    private static long MaxOf(TransportOptions limits, int kind) => kind == (int)TransportStreamKind.Unidirectional
        ? limits.MaxInboundUnidirectionalStreams
        : limits.MaxInboundBidirectionalStreams;

    private void FailOpen(TransportException failure)
    {
        for (InMemoryStream? stream = _first; stream is not null; stream = stream.Next)
        {
            stream.Send?.Fail(failure);
            stream.Receive?.Fail(failure);
        }
    }

    private void Add(InMemoryStream stream)
    {
        stream.Next = _first;
        if (_first is not null)
        {
            _first.Previous = stream;
        }

        _first = stream;
    }

    private void CancelAccept(CancellationToken cancellationToken)
    {
        lock (_connection.Network.Gate)
        {
            _accept.Fail(new OperationCanceledException(cancellationToken));
        }
    }

    private sealed class OpenWait(InMemoryNetwork network, TransportStreamKind kind, TransportPriority priority)
    {
        private readonly PendingOperation<TransportStream> _operation = new(network.Clock);

        public TransportStreamKind Kind { get; } = kind;

        public TransportPriority Priority { get; } = priority;

        public bool IsPending => _operation.IsPending;

        public ValueTask<TransportStream> Start(CancellationToken cancellationToken) =>
            _operation.Start(this, static (wait, token) => ((OpenWait)wait!).Cancel(token), cancellationToken);

        public void Complete(TransportStream stream) => _operation.Complete(stream);

        public void Fail(TransportException failure) => _operation.Fail(failure);

        private void Cancel(CancellationToken cancellationToken)
        {
            lock (network.Gate)
            {
                _operation.Fail(new OperationCanceledException(cancellationToken));
            }
        }
    }
}
