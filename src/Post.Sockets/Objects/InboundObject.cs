using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// An object that arrives, or has arrived. The application's members may be called by one thread at a time; everything else belongs to the
/// owner of the association, and the rules that change it stand in <see cref="Inbox"/>.
/// </summary>
internal sealed class InboundObject : ReceivedObject, ITimed
{
    /// <summary>Where the end is read that follows the last byte; whatever else comes is wrong, and nobody looks at it.</summary>
    private static readonly byte[] EndProbe = new byte[1];

    private readonly Inbox _inbox;
    private PayloadBuffer _buffer;
    private readonly byte[] _metadata;
    private readonly byte[] _durableId;
    private PipeReader? _reader;
    private long _offset;
    private int _disposed;
    private int _startIsSaid;

    public InboundObject(Inbox inbox, in ObjectHeader header, object? stream, bool isEarly, long expiresAt, bool isIncremental)
        : base(header.Id)
    {
        _inbox = inbox;
        _metadata = header.Metadata.IsEmpty ? [] : header.Metadata.ToArray();
        _durableId = header.DurableId.IsEmpty ? [] : header.DurableId.ToArray();
        Start = InboundStart.Of(header.AsksForStart);
        _startIsSaid = header.AsksForStart ? 0 : 1;
        Niceness = (int)Math.Min(header.Niceness, int.MaxValue);
        Urgency = Niceness;
        PayloadLength = header.PayloadLength;
        Treatment = header.Treatment;
        Stream = stream;
        IsEarlyData = isEarly;
        SentAt = header.SentAt;
        Lifetime = header.Lifetime;
        ExpiresAt = expiresAt;
        if (isIncremental)
        {
            Pipe = new Pipe(new PipeOptions(
                PipeBlocks.Shared,
                minimumSegmentSize: PipeBlocks.Size,
                readerScheduler: inbox.Requests.PipeScheduler,
                writerScheduler: inbox.Requests.PipeScheduler,
                pauseWriterThreshold: inbox.PipeBytes,
                resumeWriterThreshold: inbox.PipeBytes / 2,
                useSynchronizationContext: false));
            _reader = Pipe.Reader;
        }
    }

    public override int Niceness { get; }

    public override TimeSpan RemainingLifetime => _inbox.Remaining(ExpiresAt);

    public override ReadOnlyMemory<byte> Metadata => _metadata;

    public override ReadOnlyMemory<byte> DurableId => _durableId;

    public override string? DurableKey => _durableId.Length == 0 ? null : Objects.DurableKey.Of(_inbox.Requests.Peer, _durableId);

    public override long Offset => Volatile.Read(ref _offset);

    public override bool CanResume => Volatile.Read(ref _startIsSaid) == 0 && !IsGone;

    public override bool IsEarlyData { get; }

    // With several paths no transport says which one brought the bytes of a stream.
    public override PostPath? Path => _inbox.Requests.Paths is [var only] ? only : null;

    public override bool IsIncremental => Pipe is not null;

    public override long? Length => PayloadLength >= 0 ? PayloadLength : IsComplete ? Received : null;

    public override ReadOnlySequence<byte> Payload
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return Pipe is null
                ? _buffer.ToSequence()
                : throw new InvalidOperationException("The object is incremental: read it from Reader or AsStream().");
        }
    }

    public override PipeReader Reader
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            if (TrySayStart())
            {
                // Whoever reads has nothing of it.
                _inbox.Requests.Start(this, 0);
            }

            return _reader ??= PipeReader.Create(_buffer.ToSequence());
        }
    }

    /// <summary>The pipe of an incremental object.</summary>
    public Pipe? Pipe { get; }

    /// <summary>The bytes of payload that the header states; -1 where it does not.</summary>
    public long PayloadLength { get; }

    public ObjectFlags Treatment { get; }

    public bool RequiresAntecedents => (Treatment & ObjectFlags.OrderOnly) == 0;

    public bool WantsReceiptAtOnce => (Treatment & ObjectFlags.ImmediateReceipt) != 0;

    /// <summary>The stream it arrives on; null for a datagram, and while its connection is lost.</summary>
    public object? Stream { get; set; }

    /// <summary>From where on it comes, and who says so.</summary>
    public InboundStart Start;

    /// <summary>An earlier connection has brought part of it, which is kept.</summary>
    public bool IsResumed { get; set; }

    /// <summary>Where this connection's copy begins; -1 where that is for us to say.</summary>
    public long CopyOffset { get; set; }

    /// <summary>Bytes of this connection's copy that are here already.</summary>
    public long Skip { get; set; }

    /// <summary>When it was sent, in microseconds of the peer's clock; where the lifetime is finite.</summary>
    public long SentAt { get; }

    /// <summary>Its lifetime in microseconds; -1 for infinite.</summary>
    public long Lifetime { get; }

    /// <summary>The end of its lifetime as last judged; <see cref="Clock.Never"/> for infinite.</summary>
    public long ExpiresAt { get; set; }

    /// <summary>Bytes of payload, from its beginning, that are here; with those that the application had from earlier.</summary>
    public long Received { get; set; }

    public bool IsPerishable => Lifetime >= 0;

    /// <summary>Bytes of memory that it holds while it is not whole. What the application has, it holds itself.</summary>
    public long UnfinishedBytes => Custody == Custody.Taken ? 0 : IsIncremental ? Math.Min(Came, _inbox.PipeBytes) : Came;

    /// <summary>Bytes of payload that came.</summary>
    public long Came => Received - _offset;

    /// <summary>How far it is.</summary>
    public InboundPhase Phase { get; private set; }

    public bool IsComplete => Phase == InboundPhase.Complete;

    public bool IsGone => Phase == InboundPhase.Gone;

    /// <summary>In whose hands it is; changed with the lock of the queue of what can be taken.</summary>
    public Custody Custody { get; set; }

    /// <summary>The application has it, as the owner knows: <see cref="Custody"/> may be ahead by a message.</summary>
    public bool IsHanded { get; set; }

    /// <summary>With which code its stream is stopped; null where it is not.</summary>
    public PostErrorCode? StopCode { get; set; }

    /// <summary>Its receipt is given, or nobody expects one.</summary>
    public bool HasReceipt { get; set; }

    /// <summary>The reader works on it and may write into its memory.</summary>
    public bool IsReading { get; set; }

    /// <summary>The antecedents that are not resolved; null for none.</summary>
    public List<long>? WaitsFor { get; set; }

    /// <summary>Its niceness, or that of a more urgent object that waits for it.</summary>
    public int Urgency { get; set; }

    /// <summary>Bytes of memory that its payload occupies; and what came with its header.</summary>
    public long Capacity => _buffer.Capacity;

    /// <summary>As much of it as is counted in <see cref="Charge"/>.</summary>
    public long ChargedCapacity { get; set; }

    /// <summary>What its pipe holds at most, where it has one: it counts from the beginning, since it fills while nobody takes the object.</summary>
    public long PipeBytes => Pipe is null ? 0 : PayloadLength < 0 ? _inbox.PipeBytes : Math.Min(PayloadLength, _inbox.PipeBytes);

    public int HeaderBytes => _metadata.Length + _durableId.Length;

    /// <summary>Bytes of the receive budget that it holds.</summary>
    public long Charge { get; set; }

    /// <summary>Handlers of its antecedents that have not returned: before them, none of its own may start.</summary>
    public int HandlersBefore { get; set; }

    /// <summary>Bytes that it counts with among those that the application could take; changed with the lock of their queue.</summary>
    public long OfferedBytes { get; set; }

    public int DeliverableIndex { get; set; } = -1;

    public bool IsKept { get; private set; }

    int ITimed.TimerIndex { get; set; } = -1;

    /// <summary>Those who wait until the reader lets go of it, each with a task of its own.</summary>
    public List<TaskCompletionSource>? FreeWaiters { get; set; }

    /// <summary>When its lifetime ends, as far as is known by now of the peer's clock. From any thread.</summary>
    public long EndOfLifetime(PeerClock peerClock, Clock clock) => Math.Min(
        ExpiresAt, clock.FromMicroseconds(peerClock.EndOf(SentAt, Lifetime, clock.Microseconds(clock.Now))));

    /// <summary>All bytes are here.</summary>
    public void Complete()
    {
        Debug.Assert(Phase != InboundPhase.Complete, "An object comes once.");
        if (Phase == InboundPhase.Arriving)
        {
            Phase = InboundPhase.Complete;
        }
    }

    /// <summary>It will not be delivered, or not whole.</summary>
    public void GiveUp()
    {
        Debug.Assert(Phase != InboundPhase.Gone, "It is given up once.");
        Phase = InboundPhase.Gone;
    }

    /// <summary>The first who says where the object begins is heard. From any thread.</summary>
    public bool TrySayStart() => Volatile.Read(ref _startIsSaid) == 0 && Interlocked.Exchange(ref _startIsSaid, 1) == 0;

    /// <summary>The application has the object begin at an offset; the bytes before it are there.</summary>
    public void BeginAt(long offset)
    {
        Volatile.Write(ref _offset, offset);
        Received = offset;
    }

    public override void ResumeFrom(long offset)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (PayloadLength >= 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, PayloadLength);
        }

        if (!TrySayStart())
        {
            throw new InvalidOperationException(
                _durableId.Length == 0 ? "The object has no durable id: it can only begin at its beginning."
                : "Where the object begins is settled: it is not incremental, or was read or resumed before.");
        }

        Volatile.Write(ref _offset, offset);
        _inbox.Requests.Start(this, offset);
    }

    public override void MarkProcessed()
    {
        if (_inbox.WaitsForProcessing)
        {
            _inbox.Requests.MarkProcessed(this);
        }
    }

    public override void Reject() => _inbox.Requests.Reject(this);

    public override ReceivedObject Keep()
    {
        IsKept = true;
        return this;
    }

    /// <summary>Returns the memory of an object that the application never gets; the reader must be through with it.</summary>
    public void Discard(Exception? error)
    {
        Interlocked.Exchange(ref _disposed, 1);
        _buffer.Release();
        Pipe?.Writer.Complete(error);
    }

    /// <summary>Space for the next bytes; for the reader.</summary>
    public Memory<byte> GetSpace() => Pipe is not null
        ? Pipe.Writer.GetMemory(4096)
        : PayloadLength < 0 ? _buffer.GetSpace(-1)
        : PayloadLength > Received || Skip > 0 ? _buffer.GetSpace(PayloadLength - Received + Skip)
        : EndProbe;

    /// <summary>All bytes are here: gives back what memory is too much.</summary>
    public void Trim() => _buffer.Trim();

    /// <summary>The bytes in the space are there; for the reader.</summary>
    public void Advance(int count)
    {
        if (Pipe is null)
        {
            _buffer.Advance(count);
        }
        else
        {
            Pipe.Writer.Advance(count);
        }
    }

    /// <summary>Copies bytes that came together with the header.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (Pipe is null)
        {
            _buffer.Append(bytes, PayloadLength < 0 ? -1 : PayloadLength - _buffer.Length);
        }
        else
        {
            Pipe.Writer.Write(bytes);
        }
    }

    /// <summary>Frees the memory of an object that the application disposed while the reader was still at it.</summary>
    public void ReleaseBuffer() => _buffer.Release();

    void ITimed.OnDue(long now) => _inbox.OnDue(this);

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        if (Pipe is not null)
        {
            _reader!.Complete();
        }

        if (IsComplete && !_inbox.WaitsForProcessing)
        {
            // Its receipt was decided when it was taken.
            _buffer.Release();
        }
        else
        {
            _inbox.Requests.Release(this);
        }
    }

    /// <summary>The place in the heap of deliverable objects, for the heap.</summary>
    internal readonly struct Slot : IHeapSlot<InboundObject>
    {
        public static int Get(InboundObject item) => item.DeliverableIndex;

        public static void Set(InboundObject item, int index) => item.DeliverableIndex = index;
    }
}
