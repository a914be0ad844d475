using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine;

/// <content>The reading side.</content>
public sealed partial class QuicStream
{
    // Made when the first one has to wait: most streams are small and never do.
    private StreamOperation<int>? _read;
    private Exception? _readEnd;

    /// <summary>
    /// When the last packet with bytes of this stream reached the machine, as a timestamp of <see cref="QuicConnection.TimeProvider"/>: as the
    /// kernel says on Linux, when it was read elsewhere. 0 before there was one.
    /// </summary>
    public long ArrivedAt
    {
        get
        {
            lock (_driver.Gate)
            {
                return _transport?.Receive is { ArrivedAt: > 0 and var arrivedAt } ? _driver.Clock.ToTimestamp(arrivedAt) : 0;
            }
        }
    }

    /// <summary>Reads what is there, or waits for the first byte. What was read is what the peer gets credit for.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost and the stream can be read again.</param>
    /// <returns>Bytes read; 0 at the end.</returns>
    /// <exception cref="QuicException">The peer reset the stream, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">The stream cannot be read, or another read is under way.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        ValueTask<int> result;
        bool hasCredit;
        lock (_driver.Gate)
        {
            if (!_canRead)
            {
                throw new InvalidOperationException("Only the peer reads from this stream.");
            }

            if (_read is { IsPending: true })
            {
                throw new InvalidOperationException("Another read of this stream is under way.");
            }

            ThrowIfUnusable();
            if (_readEnd is { } ended)
            {
                return ValueTask.FromException<int>(ended);
            }

            if (IsReadCompleted || buffer.IsEmpty)
            {
                return ValueTask.FromResult(0);
            }

            int count = _transport!.Read(buffer.Span, _driver.Now);
            if (count > 0 || SeeEndOfReading())
            {
                SeeEndOfReading();
                result = _readEnd is { } reset ? ValueTask.FromException<int>(reset) : ValueTask.FromResult(count);
            }
            else
            {
                // The next bytes go straight into the reader's memory.
                _transport.TryRegisterRead(buffer);
                _read ??= new StreamOperation<int>();
                _read.Begin(static (state, token) => ((QuicStream)state!).CancelRead(token), this, cancellationToken);
                return _read.Task;
            }

            hasCredit = _driver.Core.Streams.HasControlToSend;
        }

        if (hasCredit)
        {
            // Credit that came free wants to be told.
            _driver.Wake();
        }

        return result;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Blocks the thread until there is something; prefer <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">How much at most.</param>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    internal void OnReadable()
    {
        if (_read is not { IsPending: true } || _transport is null)
        {
            return;
        }

        // Bytes come first: a reset that is seen with them is for the read after this one.
        int count = _transport.TakeRegisteredRead();
        if (count > 0)
        {
            _read.Complete(count);
            SeeEndOfReading();
        }
        else if (SeeEndOfReading() && _read.IsPending)
        {
            // A reset has failed the read already.
            _read.Complete(0);
        }
    }

    /// <summary>Whether the end, or a reset, has been reached; makes it known to whoever asks.</summary>
    private bool SeeEndOfReading()
    {
        if (_transport?.Receive is not { } receive)
        {
            return IsReadCompleted || _readEnd is not null;
        }

        switch (receive.State)
        {
            case ReceiveState.DataRead:
                IsReadCompleted = true;
                _readsClosed?.TrySetResult();
                return true;

            case ReceiveState.ResetReceived or ReceiveState.ResetRead when _readEnd is null:
                long code = (long)receive.ResetCode;
                _transport.AcknowledgeReset(_driver.Now);
                EndReads(new QuicException(
                    QuicError.StreamAborted, code, null, $"The peer reset the stream with error code {code}."));
                return true;

            default:
                return _readEnd is not null;
        }
    }

    private void AbortRead(long errorCode)
    {
        if (_transport is { } transport && !IsReadCompleted && _readEnd is null)
        {
            transport.TakeRegisteredRead();
            transport.StopReading((ulong)errorCode, _driver.Now);
            EndReads(Aborted());
        }
    }

    private void CancelRead(CancellationToken cancellationToken)
    {
        lock (_driver.Gate)
        {
            if (_read is not { IsPending: true })
            {
                return;
            }

            int count = _transport?.TakeRegisteredRead() ?? 0;
            if (count > 0)
            {
                _read.Complete(count);
            }
            else
            {
                _read.Fail(new OperationCanceledException(cancellationToken));
            }
        }
    }

    private void EndReads(Exception reason)
    {
        if (IsReadCompleted || _readEnd is not null)
        {
            return;
        }

        _readEnd = reason;
        FailClosedTask(_readsClosed, reason);
        if (_read is { IsPending: true })
        {
            _read.Fail(reason);
        }
    }
}
