using System.Buffers;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Datagrams;

/// <summary>
/// Received datagrams that wait for the application, bounded in number and bytes. When they are too many the oldest
/// go: a datagram is worth most when it is fresh (RFC 9221 section 5 leaves dropping to the receiver). Drops are counted.
/// </summary>
internal sealed class IncomingDatagrams(int maxFrameSize, int maxCount, int maxBytes) : IDisposable
{
    private readonly Queue<(byte[] Buffer, int Length)> _queue = new();
    private int _bytes;

    public int Count => _queue.Count;

    public int QueuedBytes => _bytes;

    /// <summary>Datagrams that were thrown away for lack of room.</summary>
    public long Dropped { get; private set; }

    /// <summary>
    /// RFC 9221 section 3: a frame larger than announced, or any where none was announced, is PROTOCOL_VIOLATION.
    /// </summary>
    public static TransportError Check(in DatagramFrame frame, int maxFrameSize) =>
        frame.Length > maxFrameSize
            ? new TransportError(TransportErrorCode.ProtocolViolation, "datagram larger than allowed")
            : TransportError.None;

    public TransportError Handle(in DatagramFrame frame)
    {
        TransportError error = Check(frame, maxFrameSize);
        if (error.IsError)
        {
            return error;
        }

        int length = frame.Data.Length;
        if (length > maxBytes || maxCount == 0)
        {
            Dropped++;
            return TransportError.None;
        }

        while (_queue.Count >= maxCount || length > maxBytes - _bytes)
        {
            Drop();
            Dropped++;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        frame.Data.CopyTo(buffer);
        _queue.Enqueue((buffer, length));
        _bytes += length;
        return TransportError.None;
    }

    /// <summary>The size of the next datagram; -1 where there is none.</summary>
    public int PeekLength() => _queue.TryPeek(out (byte[] Buffer, int Length) next) ? next.Length : -1;

    /// <summary>Takes the next datagram; false where there is none or <paramref name="destination"/> is too small.</summary>
    public bool TryRead(Span<byte> destination, out int length)
    {
        if (!_queue.TryPeek(out (byte[] Buffer, int Length) next) || next.Length > destination.Length)
        {
            length = 0;
            return false;
        }

        next.Buffer.AsSpan(0, next.Length).CopyTo(destination);
        length = next.Length;
        Drop();
        return true;
    }

    public void Dispose()
    {
        while (_queue.Count > 0)
        {
            Drop();
        }
    }

    private void Drop()
    {
        (byte[] buffer, int length) = _queue.Dequeue();
        _bytes -= length;
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
