using System.Diagnostics;
using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// One stream as the layer above uses it, inside the connection's gate. The object is used again for another stream
/// once the transport is done with it and the layer above has called <see cref="Release"/>.
/// </summary>
internal sealed class StreamState(StreamTable table) : UrgencyHeapItem
{
    public ulong Id { get; private set; }

    /// <summary>For the layer above.</summary>
    public object? Tag { get; set; }

    public bool IsBidirectional => StreamId.IsBidirectional(Id);

    /// <summary>Null on a stream that only the peer sends on.</summary>
    public SendHalf? Send { get; private set; }

    /// <summary>Null on a stream that only we send on.</summary>
    public ReceiveHalf? Receive { get; private set; }

    public SendUrgency Urgency { get; internal set; } = SendUrgency.Default;

    /// <summary>The transport is done with this stream: both sides have reached their end.</summary>
    public bool IsClosed { get; internal set; }

    /// <summary>Some of what the peer sent on it came in 0-RTT packets, which an attacker may have replayed.</summary>
    public bool IsEarlyData { get; internal set; }

    internal bool IsReleased { get; set; }

    /// <summary>The application has the stream: it opened it, or accepted it.</summary>
    internal bool IsHandedOut { get; set; }

    /// <summary>The peer asked us to stop sending before we were done.</summary>
    internal bool IsStoppedByPeer { get; set; }

    /// <summary>The peer gave up what it had begun, by a reset or by asking us to stop: credit for more of that is paced.</summary>
    internal bool IsAbortedByPeer => IsStoppedByPeer || Receive is { IsReset: true, IsStopped: false };

    internal bool SendSettledReported { get; set; }

    /// <summary>It was sent as a whole, and <see cref="Token"/> stands for it.</summary>
    internal bool IsWhole { get; private set; }

    /// <summary>The number that the layer above gave a stream that is sent as a whole.</summary>
    internal long Token { get; private set; }

    /// <summary>Of a stream that is sent as a whole: what was not sent yet, at least 1 until its end was; 0 once that was told.</summary>
    internal long WholeUnsent { get; set; }

    internal PendingStreamFrames Pending { get; set; }

    internal StreamState? NextPending { get; set; }

    internal bool IsInPendingList { get; set; }

    /// <summary>What the scheduler has counted of it as unsent.</summary>
    internal long CountedUnsent { get; set; }

    /// <summary>What it has counted of it as due, and for which class.</summary>
    internal (int Class, long Bytes) CountedDue { get; set; }

    /// <summary>The turn among streams of the same urgency, and the bytes left in it.</summary>
    internal ulong Turn { get; set; }

    internal int TurnBytes { get; set; }

    /// <summary>Copies bytes to be sent; returns how many were taken. Fewer than given: OnStreamWritable follows.</summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        if (IsClosed || Send is not { IsWritable: true } send)
        {
            return 0;
        }

        int taken = send.Buffer.AppendCopy(data);
        send.WriterWaits = taken < data.Length;
        table.OnSendChanged(this);
        return taken;
    }

    /// <summary>
    /// True where what was written waits behind more than the path will soon take; OnStreamSent then follows when all of it has been sent.
    /// </summary>
    public bool AwaitSent()
    {
        if (IsClosed || Send is not { } send || send.Buffer.UnsentBytes == 0 || !table.IsBacklogged)
        {
            return false;
        }

        send.WriterAwaitsSent = true;
        return true;
    }

    /// <summary>Ends the sending side after what was written.</summary>
    public void Finish()
    {
        if (!IsClosed && Send is { IsWritable: true } send)
        {
            send.Buffer.Finish();
            table.OnSendChanged(this);
        }
    }

    /// <summary>
    /// Gives the sending side up. With a <paramref name="reliableSize"/>, and where the peer knows RESET_STREAM_AT, the
    /// bytes before it are still delivered.
    /// </summary>
    public void Reset(ulong errorCode, ulong reliableSize = 0) => table.ResetStream(this, errorCode, reliableSize);

    /// <summary>Moves the stream in the order of sending, also while it is being sent.</summary>
    public void SetUrgency(SendUrgency urgency) => table.SetUrgency(this, urgency);

    /// <summary>Binds what is still to be sent of the stream, and what is lost of it, to paths.</summary>
    /// <param name="paths">The paths.</param>
    /// <param name="copies">On how many of them the same goes at a time, at least 1.</param>
    public void SetPaths(PathSet paths, int copies) => table.SetPaths(this, paths, copies);

    /// <summary>Says how many bytes there will be in all, so that paths are chosen for those that are not written yet, too.</summary>
    public void SetExpectedLength(ulong length)
    {
        if (!IsClosed && Send is { } send)
        {
            send.ExpectedLength = length;
            table.OnSendChanged(this);
        }
    }

    /// <summary>Copies what can be read; 0 with <see cref="ReceiveHalf.State"/> telling why.</summary>
    public int Read(Span<byte> destination, long now)
    {
        if (Receive is not { } receive)
        {
            return 0;
        }

        int count = receive.Assembler.Read(destination);
        table.OnConsumed(this, now);
        return count;
    }

    /// <summary>Lends memory that the next bytes go into directly; false while something can be read already.</summary>
    public bool TryRegisterRead(Memory<byte> target) => Receive is { } receive && receive.TryRegisterTarget(target);

    /// <summary>Takes lent memory back; returns how many bytes are in it.</summary>
    public int TakeRegisteredRead() => Receive?.TakeTarget() ?? 0;

    /// <summary>The reader has seen the peer's reset.</summary>
    public void AcknowledgeReset(long now)
    {
        Receive?.AcknowledgeReset();
        table.OnConsumed(this, now);
    }

    /// <summary>Gives the receiving side up and asks the peer to stop (RFC 9000 section 3.5).</summary>
    public void StopReading(ulong errorCode, long now) => table.StopReading(this, errorCode, now);

    /// <summary>
    /// The layer above will not touch this object again. A side that has not reached its end is given up with
    /// <paramref name="errorCode"/>.
    /// </summary>
    public void Release(ulong errorCode, long now) => table.Release(this, errorCode, now);

    internal void Attach(ulong id, SendHalf? send, ReceiveHalf? receive)
    {
        Id = id;
        Send = send;
        Receive = receive;
    }

    /// <summary>Nobody holds the stream: what happens to it is told by its token.</summary>
    internal void BecomeWhole(long token, long length, SendUrgency urgency)
    {
        IsWhole = true;
        IsReleased = true;
        Token = token;
        WholeUnsent = Math.Max(1, length);
        Urgency = urgency;
    }

    internal (SendHalf? Send, ReceiveHalf? Receive) Detach()
    {
        Debug.Assert(!IsInAnyHeap, "still scheduled");
        (SendHalf? Send, ReceiveHalf? Receive) halves = (Send, Receive);
        Send = null;
        Receive = null;
        Tag = null;
        Urgency = SendUrgency.Default;
        IsClosed = false;
        IsReleased = false;
        IsHandedOut = false;
        IsStoppedByPeer = false;
        IsEarlyData = false;
        SendSettledReported = false;
        IsWhole = false;
        Token = 0;
        WholeUnsent = 0;
        Pending = PendingStreamFrames.None;
        Turn = 0;
        TurnBytes = 0;
        return halves;
    }
}
