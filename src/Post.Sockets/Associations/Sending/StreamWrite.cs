using System.Buffers;
using System.Runtime.CompilerServices;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>One write on its way through the transport; pooled, so that writing allocates nothing.</summary>
internal sealed class StreamWrite
{
    private readonly StreamWrites _writes;
    private readonly Action _completed;
    private ValueTaskAwaiter<TransportWriteResult> _awaiter;
    private byte[]? _rented;

    public StreamWrite(StreamWrites writes)
    {
        _writes = writes;
        _completed = OnCompleted;
    }

    public SendEntry Entry { get; private set; } = null!;

    public TransportStream Stream { get; private set; } = null!;

    public ReadOnlyMemory<byte> Bytes { get; private set; }

    public bool IsEnd { get; private set; }

    /// <summary>Bytes of payload among <see cref="Bytes"/>.</summary>
    public int Payload { get; private set; }

    /// <summary>Bytes of a source that were shown and are to be advanced over.</summary>
    public int FromSource { get; private set; }

    /// <summary>The class that the bytes count in.</summary>
    public int Class { get; private set; }

    public TransportWriteResult Result { get; private set; }

    public TransportException? Error { get; private set; }

    /// <summary>What <see cref="OutstandingWrites"/> keeps: when it was handed over, and how much had been taken by then.</summary>
    public long HandedOverAt { get; set; }

    /// <inheritdoc cref="HandedOverAt"/>
    public long TakenBefore { get; set; }

    /// <summary>It counts against the window.</summary>
    public bool IsCounted { get; set; }

    /// <summary>Those that count, in the order in which they were handed over.</summary>
    public StreamWrite? Older { get; set; }

    /// <inheritdoc cref="Older"/>
    public StreamWrite? Newer { get; set; }

    public void Set(
        SendEntry entry, TransportStream stream, ReadOnlyMemory<byte> bytes, byte[]? rented, int payload, int fromSource, bool isEnd)
    {
        Entry = entry;
        Stream = stream;
        Bytes = bytes;
        _rented = rented;
        Payload = payload;
        FromSource = fromSource;
        IsEnd = isEnd;
        Class = entry.Class;
    }

    /// <summary>Starts the write; true when it is complete already.</summary>
    public bool Start()
    {
        try
        {
#pragma warning disable CA2012 // The awaiter is consumed exactly once, here or in OnCompleted; a pooled write has no async method to await in.
            _awaiter = Stream.WriteAsync(Bytes, IsEnd, CancellationToken.None).GetAwaiter();
#pragma warning restore CA2012
        }
        catch (TransportException exception)
        {
            Error = exception;
            return true;
        }

        if (_awaiter.IsCompleted)
        {
            TakeResult();
            return true;
        }

        _awaiter.UnsafeOnCompleted(_completed);
        return false;
    }

    public void Clear()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }

        Entry = null!;
        Stream = null!;
        Bytes = default;
        Error = null;
        Result = default;
    }

    private void TakeResult()
    {
        try
        {
            Result = _awaiter.GetResult();
        }
        catch (TransportException exception)
        {
            Error = exception;
        }
        catch (Exception exception) when (exception is ObjectDisposedException or OperationCanceledException)
        {
            // A stream that was given back while it wrote.
            Error = new TransportException(TransportErrorReason.Other, exception.Message, innerException: exception);
        }

        _awaiter = default;
    }

    private void OnCompleted()
    {
        TakeResult();
        _writes.Completed(this);
    }
}
