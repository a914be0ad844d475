using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Lifecycle;

/// <summary>
/// Connects the initiator of an association again, for as long as the association waits, and asks the listener to go on with it. Nothing
/// but HELLO goes over the new connection before the listener has said that it does.
/// </summary>
internal sealed class Reconnector : IHelloHandler
{
    /// <summary>A connection that held for so long makes the next loss a new one, and not one of a series.</summary>
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(10);

    private readonly AssociationState _state;
    private readonly CurrentConnection _current;
    private readonly IConnectionUser _user;
    private readonly AssociationLifecycle _lifecycle;
    private readonly AssociationResumption _resumption;
    private readonly AssociationFactory _factory;
    private ReconnectBackoff? _backoff;
    private PostConnection? _candidate;
    private TaskCompletionSource<TransportException?>? _outcome;
    private CancellationTokenSource? _hurry;
    private TaskCompletionSource? _paused;

    public Reconnector(
        AssociationState state,
        CurrentConnection current,
        IConnectionUser user,
        AssociationLifecycle lifecycle,
        AssociationResumption resumption,
        AssociationFactory factory)
    {
        _state = state;
        _current = current;
        _user = user;
        _lifecycle = lifecycle;
        _resumption = resumption;
        _factory = factory;
    }

    /// <summary>The connection is lost: begins to connect again.</summary>
    public void Begin()
    {
        _backoff ??= new ReconnectBackoff(_factory.Transport.CreateRandom());
        if (_current.Age >= _state.Clock.Units(Steady))
        {
            _backoff.Reset();
        }

        // On whatever thread the connection was lost: what flows there has nothing to do with the association.
        using (ExecutionContext.SuppressFlow())
        {
            _ = RunAsync(_backoff);
        }
    }

    /// <summary>The machine has a new way: the next attempt begins now. On the dispatcher.</summary>
    public void Hurry()
    {
        Volatile.Read(ref _paused)?.TrySetResult();
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

    public void OnHello(PostConnection connection, HelloFrame hello)
    {
        if (hello.Resumption != connection.Resumption || (hello.AssociationId != _state.Id && hello.Resumption > 0))
        {
            // A listener that knows nothing of the association and says so by beginning a new one.
            _ = connection.CloseAsync(PostErrorCode.UnknownAssociation, "it did not resume the association");
            Report(new TransportException(
                TransportErrorReason.ClosedByPeer, "The listener did not resume the association.", (long)PostErrorCode.UnknownAssociation));
            return;
        }

        _state.Owner.Post(new Message(
            static (target, connection, _) => ((Reconnector)target).Accept((PostConnection)connection!), this, connection));
    }

    public void OnEnded(PostConnection connection, TransportException reason) => _state.Owner.Post(new Message(
        static (target, connection, _) => ((Reconnector)target).End((PostConnection)connection!), this, connection));

    public void OnViolation(PostConnection connection, PostErrorCode code, string what)
    {
        if (_candidate != connection)
        {
            _resumption.OnViolation(connection, code, what);
            return;
        }

        if (code == PostErrorCode.MissingHello)
        {
            // Where connections get lost, its HELLO may just have been lost with this one.
            _ = connection.CloseAsync(code, what);
            Report(new TransportException(TransportErrorReason.TimedOut, "The listener did not say HELLO on the new connection."));
            return;
        }

        _lifecycle.Abort(
            code, new PostException(PostErrorReason.ProtocolViolation, $"The peer broke the rules of post/1: {what} ({code})."));
    }

    /// <summary>The listener goes on with the association. By the owner.</summary>
    private void Accept(PostConnection connection)
    {
        if (connection.EndReason is { } reason)
        {
            Report(reason);
            return;
        }

        var error = _resumption.Accept(connection, connection.PeerHello!);
        if (error == PostErrorCode.NoError)
        {
            _candidate = null;
            Report(null);
        }
        else if (error == PostErrorCode.Aborted)
        {
            _ = connection.CloseAsync(error, "the association is over");
        }
        else
        {
            connection.Violate(error, "HELLO names impossible ids");
        }
    }

    /// <summary>A connection of ours has ended. By the owner.</summary>
    private void End(PostConnection connection)
    {
        if (_current.Value == connection)
        {
            _resumption.OnEnded(connection, connection.EndReason!);
        }
        else if (_candidate == connection)
        {
            Report(connection.EndReason);
        }
    }

    private async Task RunAsync(ReconnectBackoff backoff)
    {
        try
        {
            var beginsAnew = false;
            while (true)
            {
                using var hurry = CancellationTokenSource.CreateLinkedTokenSource(_lifecycle.Ended);
                Volatile.Write(ref _hurry, hurry);
                TransportException? failure;
                try
                {
                    var pause = backoff.Next();
                    if (pause > TimeSpan.Zero)
                    {
                        await PauseAsync(pause).ConfigureAwait(false);
                    }

                    failure = await TryAsync(beginsAnew, hurry.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!_lifecycle.Ended.IsCancellationRequested)
                {
                    // The machine has a new way: what was begun may wait for an answer on one that is gone.
                    backoff.Reset();
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

                _state.Log.NotResumed(failure.Reason, failure.Message);

                // The first connection may have been lost before its HELLO arrived.
                beginsAnew = !beginsAnew
                    && failure is { Reason: TransportErrorReason.ClosedByPeer, ErrorCode: (long)PostErrorCode.UnknownAssociation }
                    && _resumption.CanBeginAnew;
                if (!beginsAnew && !ConnectionLoss.IsPassing(failure))
                {
                    _lifecycle.EndWithoutConnection(ConnectionErrors.Translate(failure));
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
            _state.Log.PumpFailed(exception);
            _lifecycle.EndWithoutConnection(new PostException(
                PostErrorReason.Transport, $"The association could not go on: {exception.Message}", exception));
        }
    }

    /// <summary>Waits, but no longer than until the machine has a new way.</summary>
    private async ValueTask PauseAsync(TimeSpan pause)
    {
        // Not by a token: what a delay that is canceled goes on to would leave the dispatcher.
        var paused = new TaskCompletionSource(_state.Continuations);
        Volatile.Write(ref _paused, paused);
        await Task.WhenAny(Task.Delay(pause, _state.Clock.Provider, _lifecycle.Ended), paused.Task).ConfigureAwait(false);
        Volatile.Write(ref _paused, null);
        _lifecycle.Ended.ThrowIfCancellationRequested();
    }

    /// <summary>One attempt; null when it succeeded, or needs no other.</summary>
    private async ValueTask<TransportException?> TryAsync(bool beginsAnew, CancellationToken hurry)
    {
        var association = _state.Association;
        TransportConnection transport;
        try
        {
            // Early data would be of no use: nobody may honour it before the handshake is complete.
            transport = await _factory
                .ConnectAsync(association.Local, association.Remote!, _state.Options with { AllowEarlyData = false }, hurry)
                .ConfigureAwait(false);
        }
        catch (TransportException exception)
        {
            return exception;
        }

        var attempt = new Attempt(this, new PostConnection(_factory, transport, this), beginsAnew);
        var connection = attempt.Connection;
        connection.Bind(_user);
        await _state.Owner.InvokeAsync(static attempt => ((Attempt)attempt).Begin(), attempt).ConfigureAwait(false);
        connection.Start();
        if (_state.IsClosed)
        {
            await connection.CloseAsync(PostErrorCode.Aborted, "the association is over").ConfigureAwait(false);
            return null;
        }

        try
        {
            await connection.Control.OpenAsync(attempt.Hello, connection.Over).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException)
        {
            // The connection was lost before HELLO was out; its event says why.
        }

        var failure = await attempt.Outcome.Task.ConfigureAwait(false);
        if (failure is not null)
        {
            await connection.CloseAsync(PostErrorCode.NoError, string.Empty).ConfigureAwait(false);
        }

        return failure;
    }

    private void Report(TransportException? outcome)
    {
        var waiting = _outcome;
        _state.Queue(() => waiting?.TrySetResult(outcome));
    }

    /// <summary>One attempt to go on.</summary>
    private sealed class Attempt(Reconnector reconnector, PostConnection connection, bool beginsAnew)
    {
        public PostConnection Connection => connection;

        public TaskCompletionSource<TransportException?> Outcome { get; } = new(reconnector._state.Continuations);

        public HelloFrame Hello { get; private set; } = new();

        /// <summary>Notes what the peer is told. By the owner.</summary>
        public void Begin()
        {
            reconnector._outcome = Outcome;
            reconnector._candidate = connection;
            connection.Resumption = beginsAnew ? 0 : reconnector._resumption.NextResumption();
            connection.ToldLowest = beginsAnew ? 0 : reconnector._state.Outbox.LowestId;
            connection.ToldHeld = beginsAnew ? HeldObjects.None : reconnector._resumption.TellHeld(reconnector._state.Peer.Hello);
            Hello = reconnector._lifecycle.Hello(connection);
        }
    }
}
