using Post.Quic.Engine.Endpoint;

namespace Post.Quic.Engine;

/// <content>The writing side.</content>
public sealed partial class QuicStream
{
    // Made when the first one has to wait: most streams are small and never do.
    private StreamOperation<bool>? _write;
    private ReadOnlyMemory<byte> _unwritten;
    private bool _finishAfterWrite;
    private bool _isFinished;
    private bool _isSendSettled;
    private Exception? _writeEnd;

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, bool, CancellationToken)"/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        WriteAsync(buffer, completeWrites: false, cancellationToken);

    /// <summary>Writes, and optionally ends the writing side.</summary>
    /// <param name="buffer">The bytes.</param>
    /// <param name="completeWrites">True when nothing follows.</param>
    /// <param name="cancellationToken">
    /// Ends the wait; the stream is then reset with the default stream error code, since nobody could know how much went out.
    /// </param>
    /// <returns>
    /// Completes when the bytes were taken: they are copied, and delivered in time. The source of back pressure. With
    /// <see cref="QuicConnectionOptions.WritesCompleteWhenSent"/>, also not before they were sent, once more waits than the path soon takes.
    /// </returns>
    /// <exception cref="QuicException">The peer asked to stop, the stream was aborted, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">The stream cannot be written, was ended, or another write is under way.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, bool completeWrites, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            Abort(QuicAbortDirection.Write, _connection.DefaultStreamErrorCode);
            return ValueTask.FromCanceled(cancellationToken);
        }

        ValueTask result = ValueTask.CompletedTask;
        bool isQuiet;
        lock (_driver.Gate)
        {
            if (!_canWrite)
            {
                throw new InvalidOperationException("Only the peer writes to this stream.");
            }

            if (_write is { IsPending: true })
            {
                throw new InvalidOperationException("Another write of this stream is under way.");
            }

            ThrowIfUnusable();
            if (_writeEnd is { } ended)
            {
                return ValueTask.FromException(ended);
            }

            if (_isFinished)
            {
                throw new InvalidOperationException("The writing side was completed; nothing can follow.");
            }

            int taken = _transport!.Write(buffer.Span);
            if (taken == buffer.Length)
            {
                if (completeWrites)
                {
                    Finish();
                }

                if (AwaitsSent())
                {
                    result = BeginWrite(default, finishAfterWrite: false, cancellationToken);
                }
            }
            else
            {
                result = BeginWrite(buffer[taken..], completeWrites, cancellationToken);
            }

            isQuiet = _driver.IsQuiet;
        }

        _driver.WakeToSend(isQuiet);
        return result;
    }

    /// <summary>Ends the writing side. Does nothing where it has ended already.</summary>
    /// <exception cref="InvalidOperationException">A write is under way.</exception>
    public void CompleteWrites()
    {
        bool isQuiet;
        lock (_driver.Gate)
        {
            if (!_canWrite || _isFinished || _writeEnd is not null || _transport is null)
            {
                return;
            }

            if (_write is { IsPending: true })
            {
                throw new InvalidOperationException("A write of this stream is under way; await it before the end.");
            }

            Finish();
            isQuiet = _driver.IsQuiet;
        }

        _driver.WakeToSend(isQuiet);
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Blocks the thread until the bytes are taken; prefer <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <param name="buffer">The bytes.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">How many.</param>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    internal void OnWritable()
    {
        if (_write is not { IsPending: true } || _transport is null)
        {
            return;
        }

        int taken = _transport.Write(_unwritten.Span);
        _unwritten = _unwritten[taken..];
        if (_unwritten.IsEmpty)
        {
            if (_finishAfterWrite)
            {
                Finish();
            }

            if (!AwaitsSent())
            {
                _write.Complete(true);
            }
        }
    }

    internal void OnSent()
    {
        if (_write is { IsPending: true } && _unwritten.IsEmpty)
        {
            _write.Complete(true);
        }
    }

    internal void OnSendSettled()
    {
        if (_isSendSettled)
        {
            return;
        }

        _isSendSettled = true;
        bool wasReset = _writeEnd is not null;
        if (!wasReset)
        {
            _writesClosed?.TrySetResult();
        }

        _connection.EventQueue.Note(
            new ConnectionEvent(ConnectionEventKind.StreamSendSettled, Subject: this, Flag: wasReset));
    }

    /// <summary>The peer may have stopped a stream of its own before anybody had it to hear of that.</summary>
    internal void OnAccepted()
    {
        if (_transport!.Send is { IsReset: true } send)
        {
            EndWrites(Stopped((long)send.ResetCode));
            _isSendSettled = send.IsSettled;
        }
    }

    internal void OnStopSending(long errorCode)
    {
        EndWrites(Stopped(errorCode));
        _connection.EventQueue.Note(
            new ConnectionEvent(ConnectionEventKind.StreamStopped, Subject: this, Value: errorCode));
    }

    private static QuicException Stopped(long errorCode) => new(
        QuicError.StreamAborted, errorCode, null, $"The peer asked to stop sending on the stream, with error code {errorCode}.");

    private bool AwaitsSent() => _connection.WritesCompleteWhenSent && _transport!.AwaitSent();

    private ValueTask BeginWrite(ReadOnlyMemory<byte> unwritten, bool finishAfterWrite, CancellationToken cancellationToken)
    {
        _unwritten = unwritten;
        _finishAfterWrite = finishAfterWrite;
        _write ??= new StreamOperation<bool>();
        _write.Begin(static (state, token) => ((QuicStream)state!).CancelWrite(token), this, cancellationToken);
        return _write.TaskWithoutResult;
    }

    private void Finish()
    {
        _isFinished = true;
        _transport!.Finish();
    }

    private void AbortWrite(long errorCode, long reliableSize)
    {
        if (_transport is { } transport && _writeEnd is null && !_isSendSettled)
        {
            transport.Reset((ulong)errorCode, (ulong)reliableSize);
            EndWrites(Aborted());
        }
    }

    private void CancelWrite(CancellationToken cancellationToken)
    {
        lock (_driver.Gate)
        {
            if (_write is not { IsPending: true })
            {
                return;
            }

            _unwritten = default;
            _write.Fail(new OperationCanceledException(cancellationToken));
            AbortWrite(_connection.DefaultStreamErrorCode, reliableSize: 0);
        }

        _driver.Wake();
    }

    private void EndWrites(Exception reason)
    {
        if (_writeEnd is not null || _isSendSettled)
        {
            return;
        }

        _writeEnd = reason;
        FailClosedTask(_writesClosed, reason);
        if (_write is { IsPending: true })
        {
            _unwritten = default;
            _write.Fail(reason);
        }
    }

    private void EndBoth(Exception reason)
    {
        if (_canRead)
        {
            EndReads(reason);
        }

        if (_canWrite)
        {
            EndWrites(reason);
        }
    }

    private void CancelPending()
    {
        if (_read is { IsPending: true })
        {
            _transport?.TakeRegisteredRead();
            _read.Fail(Aborted());
        }

        if (_write is { IsPending: true })
        {
            _unwritten = default;
            _write.Fail(Aborted());
        }
    }

    private Task ClosedTask(bool isWriting)
    {
        // All is looked at under the gate: an end that came between a look outside and the gate would be told to nobody.
        lock (_driver.Gate)
        {
            ref TaskCompletionSource? source = ref isWriting ? ref _writesClosed : ref _readsClosed;
            if (source is null)
            {
                source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                bool exists = isWriting ? _canWrite : _canRead;
                if ((isWriting ? _writeEnd : _readEnd) is { } failure)
                {
                    FailClosedTask(source, failure);
                }
                else if (!exists || (isWriting ? _isSendSettled : IsReadCompleted))
                {
                    source.TrySetResult();
                }
            }

            return source.Task;
        }
    }

    private static void FailClosedTask(TaskCompletionSource? source, Exception reason)
    {
        if (source is not null && source.TrySetException(reason))
        {
            // Nobody has to look; unobserved it is no error of the process.
            _ = source.Task.Exception;
        }
    }
}
