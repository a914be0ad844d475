using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine;

/// <summary>
/// A stream of a connection. One read and one write may be under way at a time; everything else may be called at any time
/// and from any thread.
/// </summary>
public sealed partial class QuicStream : Stream
{
    private readonly QuicConnection _connection;
    private readonly ConnectionDriver _driver;
    private readonly bool _canRead;
    private readonly bool _canWrite;

    // Null once the transport, or we, are done with it: the object then serves another stream.
    private StreamState? _transport;
    private ConnectionCloseInfo? _connectionClosed;
    private bool _isRejected;
    private TaskCompletionSource? _readsClosed;
    private TaskCompletionSource? _writesClosed;
    private bool _isEarlyData;
    private bool _isDisposed;

    internal QuicStream(QuicConnection connection, StreamState transport, bool isLocal)
    {
        _connection = connection;
        _driver = connection.Driver;
        _transport = transport;
        _canRead = transport.Receive is not null;
        _canWrite = transport.Send is not null;
        Id = (long)transport.Id;
        Type = transport.IsBidirectional ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional;
        IsLocal = isLocal;
    }

    /// <summary>The stream's id (RFC 9000 section 2.1), the same on both sides.</summary>
    public long Id { get; }

    /// <summary>Its kind.</summary>
    public QuicStreamType Type { get; }

    /// <summary>True when this side opened it.</summary>
    public bool IsLocal { get; }

    /// <summary>Some of what was read of it came as early (0-RTT) data, which an attacker may have replayed.</summary>
    public bool IsEarlyData
    {
        get
        {
            lock (_driver.Gate)
            {
                return _isEarlyData |= _transport is { IsEarlyData: true };
            }
        }
    }

    /// <summary>Whatever the user of the stream wants to find again; the engine leaves it alone.</summary>
    public object? State { get; set; }

    /// <inheritdoc/>
    public override bool CanRead => _canRead && !_isDisposed;

    /// <inheritdoc/>
    public override bool CanWrite => _canWrite && !_isDisposed;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanTimeout => false;

    /// <summary>Not supported.</summary>
    public override long Length => throw new NotSupportedException("A QUIC stream does not know its length.");

    /// <summary>Not supported.</summary>
    public override long Position
    {
        get => throw new NotSupportedException("A QUIC stream cannot seek.");
        set => throw new NotSupportedException("A QUIC stream cannot seek.");
    }

    /// <summary>The peer finished its side and all of it was read.</summary>
    public bool IsReadCompleted { get; private set; }

    /// <summary>
    /// Ends with the reading side: successfully when all was read, else with the <see cref="QuicException"/> that says why
    /// not.
    /// </summary>
    public Task ReadsClosed => ClosedTask(isWriting: false);

    /// <summary>
    /// Ends with the writing side: successfully when the peer acknowledged everything up to the end, else with the
    /// <see cref="QuicException"/> that says why not.
    /// </summary>
    public Task WritesClosed => ClosedTask(isWriting: true);

    /// <summary>Gives up one direction, or both.</summary>
    /// <param name="direction">Which.</param>
    /// <param name="errorCode">What the peer is told; 0 to 2^62-1.</param>
    /// <param name="reliableSize">
    /// Writing: the first bytes that still reach the peer, where it understands RESET_STREAM_AT; nothing of it elsewhere.
    /// </param>
    public void Abort(QuicAbortDirection direction, long errorCode, long reliableSize = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(errorCode);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errorCode, QuicConnectionOptions.MaxErrorCode);
        ArgumentOutOfRangeException.ThrowIfNegative(reliableSize);
        lock (_driver.Gate)
        {
            if (direction.HasFlag(QuicAbortDirection.Read) && _canRead)
            {
                AbortRead(errorCode);
            }

            if (direction.HasFlag(QuicAbortDirection.Write) && _canWrite)
            {
                AbortWrite(errorCode, reliableSize);
            }
        }

        _driver.Wake();
    }

    /// <summary>Changes the rank of what is still to be sent.</summary>
    /// <param name="priority">The new rank.</param>
    public void SetPriority(QuicPriority priority)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(priority.Class, nameof(priority));
        lock (_driver.Gate)
        {
            _transport?.SetUrgency(QuicConnection.UrgencyOf(priority, _driver.Clock));
        }
    }

    /// <summary>
    /// Says how long the stream will be in all. Over several paths a sender that knows what is still to come uses a slow path for it in time;
    /// one that sees only what was written already takes it for too little to be worth that. It is a hint: the stream may become shorter or
    /// longer.
    /// </summary>
    /// <param name="length">Bytes, those that were written included; 0 where it is not known.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative length.</exception>
    public void SetExpectedLength(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        lock (_driver.Gate)
        {
            _transport?.SetExpectedLength((ulong)length);
        }
    }

    /// <summary>
    /// Binds what is still to be sent of the stream to paths. By default it goes by any, once. While none of its paths is there, it waits:
    /// <see cref="QuicConnectionEvents.OnPathChanged"/> tells when paths go, and <see cref="Abort"/> gives the stream up.
    /// </summary>
    /// <param name="binding">The paths, and on how many of them at a time.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of copies is out of its range.</exception>
    public void SetPaths(QuicPathBinding binding)
    {
        binding.Validate(nameof(binding));
        lock (_driver.Gate)
        {
            _transport?.SetPaths(binding.Set, binding.CopiesOrOne);
        }

        _driver.Wake();
    }

    /// <summary>Nothing to flush: what was written is sent as soon as the path allows.</summary>
    public override void Flush()
    {
    }

    /// <summary>Nothing to flush: what was written is sent as soon as the path allows.</summary>
    /// <param name="cancellationToken">Not used.</param>
    /// <returns>A completed task.</returns>
    public override Task FlushAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

    /// <summary>Not supported.</summary>
    /// <param name="offset">Not used.</param>
    /// <param name="origin">Not used.</param>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A QUIC stream cannot seek.");

    /// <summary>Not supported.</summary>
    /// <param name="value">Not used.</param>
    public override void SetLength(long value) => throw new NotSupportedException("A QUIC stream does not know its length.");

    /// <summary>
    /// Gives the stream back. A reading side that has not reached its end is stopped with the connection's default stream
    /// error code; so is a writing side whose end was not written, while a finished one goes on being delivered.
    /// </summary>
    /// <returns>At once: it does not wait for the peer.</returns>
    public override ValueTask DisposeAsync() => base.DisposeAsync();

    /// <summary>Called under the gate when nobody is there to take the stream.</summary>
    internal void Abandon()
    {
        _isDisposed = true;
        Release();
    }

    internal void OnConnectionClosed(in ConnectionCloseInfo info)
    {
        _connectionClosed = info;
        _transport = null;
        EndBoth(_connection.ToException(info));
    }

    /// <summary>The transport is done with the stream and forgets it when this returns.</summary>
    internal void OnForgotten()
    {
        // A reader may not have come to the end of what arrived: the object stays ours until it is released.
        if (_isDisposed)
        {
            _transport = null;
        }
    }

    internal void OnRejected()
    {
        _isRejected = true;
        _transport = null;
        _connection.Forget(this);
        EndBoth(RejectedException());
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            bool hasNews;
            lock (_driver.Gate)
            {
                if (!_isDisposed)
                {
                    _isDisposed = true;
                    CancelPending();
                    Release();
                }

                hasNews = _driver.Core.Streams.HasControlToSend;
            }

            if (hasNews)
            {
                _driver.Wake();
            }
        }

        base.Dispose(disposing);
    }

    private static QuicException Aborted() => new QuicException(
        QuicError.OperationAborted, null, null, "The stream was aborted or disposed on this side.");

    private void Release()
    {
        _connection.Forget(this);
        if (_transport is { } transport)
        {
            _transport = null;
            transport.Tag = this;
            transport.Release((ulong)_connection.DefaultStreamErrorCode, _driver.Now);
        }
    }

    private static QuicException RejectedException() => new(
        QuicError.EarlyDataRejected,
        null,
        null,
        "The server did not take the early data; open a new stream and send it again.");

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_connectionClosed is { } closed)
        {
            throw _connection.ToException(closed);
        }

        if (_isRejected)
        {
            throw RejectedException();
        }
    }
}
