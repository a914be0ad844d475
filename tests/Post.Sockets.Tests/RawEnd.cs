using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests;

/// <summary>One end of a connection in the hands of a test: it sees each frame and stream of the other, and says what it likes.</summary>
internal sealed class RawEnd : TransportEvents
{
    private readonly List<(long Type, byte[] Payload)> _frames = [];
    private TransportStream? _control;

    public RawEnd(TransportConnection connection)
    {
        Connection = connection;
        connection.Start(this);
        _ = AcceptAsync();
    }

    public TransportConnection Connection { get; }

    /// <summary>How the connection ended; null while it lives.</summary>
    public TransportException? Closed { get; private set; }

    public PostErrorCode? CloseCode => (PostErrorCode?)Closed?.ErrorCode;

    /// <summary>The other's HELLO; null before it came.</summary>
    public HelloFrame? Hello { get; private set; }

    /// <summary>The object streams that came, with what was read of them and how they ended.</summary>
    public List<RawObject> Objects { get; } = [];

    /// <summary>Where the other wants its objects to begin, as it said.</summary>
    public IEnumerable<StartAtFrame> Starts => _frames.Where(static frame => frame.Type == ControlFrameType.StartAt)
        .Select(static frame => StartAtFrame.TryParse(frame.Payload, out var start) ? start : throw new InvalidDataException());

    public int Count(long type) => _frames.Count(frame => frame.Type == type);

    /// <summary>The ids that the other's receipts, or ABANDONs, name, in the order in which they came.</summary>
    public IEnumerable<(long Code, long First, long Last)> Ids(long type)
    {
        foreach (var (_, payload) in _frames.Where(frame => frame.Type == type))
        {
            IdRangeList list;
            long code;
            if (type == ControlFrameType.Receipt)
            {
                _ = IdListFrame.TryParseReceipt(payload, out var status, out list);
                code = (long)status;
            }
            else
            {
                _ = IdListFrame.TryParseAbandon(payload, out var reason, out list);
                code = (long)reason;
            }

            var ranges = new List<IdRange>();
            foreach (var range in list)
            {
                ranges.Add(range);
            }

            foreach (var range in ranges)
            {
                yield return (code, range.First, range.Last);
            }
        }
    }

    /// <summary>Opens our control stream with a HELLO.</summary>
    public async Task SayHelloAsync(HelloFrame hello)
    {
        var buffer = new byte[1 + HelloFrame.MaxLength];
        var length = PostInteger.Write(buffer, StreamType.Control);
        length += hello.Write(buffer.AsSpan(length));
        _control = Connection.TryOpenStream(TransportStreamKind.Unidirectional, TransportPriority.Control)!;
        await _control.WriteAsync(buffer.AsMemory(0, length), false, CancellationToken.None);
    }

    public async Task SayReceiptAsync(ReceiptStatus status, params long[] ids)
    {
        var buffer = new byte[ProtocolLimits.MaxFrameLength];
        var set = new IdRangeSet();
        foreach (var id in ids)
        {
            set.Add(id);
        }

        var length = IdListFrame.WriteReceipt(buffer, status, set.Ranges);
        await _control!.WriteAsync(buffer.AsMemory(0, length), false, CancellationToken.None);
    }

    /// <summary>Writes one control frame.</summary>
    public async Task SayAsync(Func<byte[], int> write)
    {
        var buffer = new byte[ProtocolLimits.MaxFrameLength];
        await _control!.WriteAsync(buffer.AsMemory(0, write(buffer)), false, CancellationToken.None);
    }

    public async Task<TransportStream> SendAsync(byte[] bytes, bool end = true)
    {
        var stream = Connection.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
        await stream.WriteAsync(bytes, end, CancellationToken.None);
        return stream;
    }

    public override void OnClosed(TransportException reason) => Closed = reason;

    public override void OnStreamAccepted(TransportStream stream) => _ = ReadAsync(stream);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var stream = await Connection.AcceptStreamAsync(CancellationToken.None);
                _ = ReadAsync(stream);
            }
        }
        catch (TransportException)
        {
            // Over.
        }
    }

    private async Task ReadAsync(TransportStream stream)
    {
        var raw = new RawObject(stream);
        var frames = new ControlFrameReader();
        var isControl = false;
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var result = await stream.ReadAsync(buffer, CancellationToken.None);
                var bytes = buffer.AsMemory(0, result.Count);
                if (raw.Bytes.Count == 0 && !isControl && result.Count > 0)
                {
                    isControl = buffer[0] == StreamType.Control;
                    bytes = isControl ? bytes[1..] : bytes;
                    if (!isControl && buffer[0] == StreamType.Object)
                    {
                        Objects.Add(raw);
                    }
                }

                if (isControl)
                {
                    Take(frames, bytes.Span);
                }
                else
                {
                    raw.Bytes.AddRange(bytes.Span);
                }

                if (result.IsReset || result.IsCompleted)
                {
                    raw.IsReset = result.IsReset;
                    raw.ResetCode = (PostErrorCode)result.ResetCode;
                    raw.IsWhole = result.IsCompleted;
                    return;
                }
            }
        }
        catch (TransportException)
        {
            // Over.
        }
    }

    private void Take(ControlFrameReader reader, ReadOnlySpan<byte> bytes)
    {
        while (reader.TryRead(ref bytes, out var frame, out _) == ParseStatus.Done)
        {
            _frames.Add((frame.Type, frame.Payload.ToArray()));
            if (frame.Type == ControlFrameType.Hello && HelloFrame.TryParse(frame.Payload, out var hello))
            {
                Hello = hello;
            }
        }
    }

    internal sealed class RawObject(TransportStream stream)
    {
        public TransportStream Stream { get; } = stream;

        public List<byte> Bytes { get; } = [];

        public bool IsWhole { get; set; }

        public bool IsReset { get; set; }

        public PostErrorCode ResetCode { get; set; }

        public long Id => Header(out _).Id;

        /// <summary>Its header, and how long that is; with an id of -1 where it is not whole.</summary>
        public ObjectHeader Header(out int length)
        {
            var scratch = new long[ProtocolLimits.MaxAntecedents];
            return ObjectHeader.TryParse(Bytes.ToArray(), scratch, out var header, out length, out _) == ParseStatus.Done
                ? header
                : new ObjectHeader { Id = -1 };
        }
    }
}
