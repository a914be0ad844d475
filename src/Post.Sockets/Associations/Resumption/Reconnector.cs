using Post.Sockets.Associations.Connections;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Resumption;

/// <summary>
/// Connects the initiator of an association again, for as long as the association waits, and asks the listener to go on with it. Nothing
/// but HELLO goes over the new connection before the listener has said that it does.
/// </summary>
internal sealed class Reconnector : IGreeter
{
    /// <summary>A connection that held for so long makes the next loss a new one, and not one of a series.</summary>
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(10);

    private readonly AssociationCore _core;
    private readonly AssociationFactory _host;
    private readonly Pauses _pauses;
    private Carrier? _candidate;
    private TaskCompletionSource<TransportException?>? _outcome;
    private CancellationTokenSource? _hurry;

    public Reconnector(AssociationCore core, AssociationFactory host)
    {
        _core = core;
        _host = host;
        _pauses = new Pauses(host.Transport.CreateRandom());
    }

    /// <summary>The connection is lost: begins to connect again.</summary>
    public void Begin()
    {
        if (_core.ConnectedFor >= _core.Clock.Units(Steady))
        {
            _pauses.Reset();
        }

        // On whatever thread the connection was lost: what flows there has nothing to do with the association.
        using (ExecutionContext.SuppressFlow())
        {
            _ = RunAsync();
        }
    }

    /// <summary>The machine has a new way: the next attempt begins now. On the dispatcher.</summary>
    public void Hurry()
    {
        try
        {
            Volatile.Read(ref _hurry)?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The attempt has just ended; the next one takes the new way anyhow.
        }
    }

    /// <summary>The association is over: a connection that was to carry it is closed.</summary>
    public async ValueTask StopAsync(PostErrorCode code, string reason)
    {
        if (_candidate is { } candidate)
        {
            await candidate.CloseAsync(code, reason).ConfigureAwait(false);
            Report(new TransportException(TransportErrorReason.ClosedLocally, "The association is over."));
        }
    }

    void IGreeter.OnHello(Carrier carrier, HelloFrame hello)
    {
        if (hello.Resumption != carrier.Resumption || (hello.AssociationId != _core.Id && hello.Resumption > 0))
        {
            // A listener that knows nothing of the association and says so by beginning a new one.
            _ = carrier.CloseAsync(PostErrorCode.UnknownAssociation, "it did not resume the association");
            Report(new TransportException(
                TransportErrorReason.ClosedByPeer, "The listener did not resume the association.", (long)PostErrorCode.UnknownAssociation));
            return;
        }

        var error = _core.Continuity.Accept(carrier, hello);
        if (error == PostErrorCode.NoError)
        {
            _candidate = null;
            Report(null);
        }
        else if (error == PostErrorCode.Aborted)
        {
            _ = carrier.CloseAsync(error, "the association is over");
        }
        else
        {
            carrier.Violate(error, "HELLO names impossible ids");
        }
    }

    void IGreeter.OnEnded(Carrier carrier, TransportException reason)
    {
        if (_core.Carrier == carrier)
        {
            _core.Continuity.OnConnectionEnded(carrier, reason);
        }
        else if (_candidate == carrier)
        {
            Report(reason);
        }
    }

    void IGreeter.OnViolation(Carrier carrier, PostErrorCode code, string what)
    {
        if (_candidate != carrier)
        {
            _core.Continuity.OnViolation(carrier, code, what);
            return;
        }

        if (code == PostErrorCode.MissingHello)
        {
            // Where connections get lost, its HELLO may just have been lost with this one.
            _ = carrier.CloseAsync(code, what);
            Report(new TransportException(TransportErrorReason.TimedOut, "The listener did not say HELLO on the new connection."));
            return;
        }

        _core.Lifecycle.Abort(
            code, new PostException(PostErrorReason.ProtocolViolation, $"The peer broke the rules of post/1: {what} ({code})."));
    }

    private async Task RunAsync()
    {
        try
        {
            var beginsAnew = false;
            while (true)
            {
                using var hurry = CancellationTokenSource.CreateLinkedTokenSource(_core.Ended);
                Volatile.Write(ref _hurry, hurry);
                TransportException? failure;
                try
                {
                    var pause = _pauses.Next();
                    if (pause > TimeSpan.Zero)
                    {
                        await Task.Delay(pause, _core.Clock.Provider, hurry.Token).ConfigureAwait(false);
                    }

                    failure = await TryAsync(beginsAnew, hurry.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!_core.Ended.IsCancellationRequested)
                {
                    // The machine has a new way: what was begun may wait for an answer on one that is gone.
                    _pauses.Reset();
                    continue;
                }
                finally
                {
                    Volatile.Write(ref _hurry, null);
                }

                if (failure is null)
                {
                    return;
                }

                _core.Log.NotResumed(failure.Reason, failure.Message);

                // The first connection may have been lost before its HELLO arrived.
                beginsAnew = !beginsAnew
                    && failure is { Reason: TransportErrorReason.ClosedByPeer, ErrorCode: (long)PostErrorCode.UnknownAssociation }
                    && _core.Continuity.CanBeginAnew;
                if (!beginsAnew && !ConnectionLoss.IsPassing(failure))
                {
                    _core.Lifecycle.EndWithoutConnection(Lifecycle.Translate(failure));
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The association is over.
        }
        catch (Exception exception)
        {
            _core.Log.PumpFailed(exception);
            _core.Lifecycle.EndWithoutConnection(new PostException(
                PostErrorReason.Transport, $"The association could not go on: {exception.Message}", exception));
        }
    }

    /// <summary>One attempt; null when it succeeded, or needs no other.</summary>
    private async ValueTask<TransportException?> TryAsync(bool beginsAnew, CancellationToken hurry)
    {
        var association = _core.Association;
        TransportConnection connection;
        try
        {
            // Early data would be of no use: nobody may honour it before the handshake is complete.
            connection = await _host
                .ConnectAsync(association.Local, association.Remote!, _core.Options with { AllowEarlyData = false }, hurry)
                .ConfigureAwait(false);
        }
        catch (TransportException exception)
        {
            return exception;
        }

        var carrier = new Carrier(_host, connection, this);
        carrier.Bind(_core);
        var outcome = new TaskCompletionSource<TransportException?>(_core.Continuations);
        _outcome = outcome;
        _candidate = carrier;
        HelloFrame hello;
        lock (_core.Gate)
        {
            carrier.Resumption = beginsAnew ? 0 : _core.Continuity.NextResumption();
            carrier.ToldLowest = beginsAnew ? 0 : _core.Outbox.LowestId;
            carrier.ToldHeld = beginsAnew ? HeldObjects.None : _core.Continuity.TellHeld(_core.Peer);
            hello = _core.Lifecycle.Hello(carrier);
        }

        carrier.Start();
        if (_core.IsClosed)
        {
            await carrier.CloseAsync(PostErrorCode.Aborted, "the association is over").ConfigureAwait(false);
            return null;
        }

        try
        {
            await carrier.Control.OpenAsync(hello, carrier.Over).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException)
        {
            // The connection was lost before HELLO was out; its event says why.
        }

        var failure = await outcome.Task.ConfigureAwait(false);
        if (failure is not null)
        {
            await carrier.CloseAsync(PostErrorCode.NoError, string.Empty).ConfigureAwait(false);
        }

        return failure;
    }

    private void Report(TransportException? outcome)
    {
        var waiting = _outcome;
        _core.Queue(new Work(() => waiting?.TrySetResult(outcome)));
    }
}
