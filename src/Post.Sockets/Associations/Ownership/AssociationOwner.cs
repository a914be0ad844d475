using System.Runtime.InteropServices;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Ownership;

/// <summary>
/// Gives the state of an association to one thread at a time, the owner, without a lock. A thread that needs something done posts a message.
/// If the association is idle, that thread becomes the owner and handles the message at once, with those that other threads post meanwhile.
/// So calls into the transport are made with no lock held, and an event that such a call raises is one more message.
/// </summary>
internal sealed class AssociationOwner(TransportDispatcher dispatcher, TaskCreationOptions continuations, IOwned owned) : IThreadPoolWorkItem
{
    /// <summary>After this many rounds the dispatcher's thread takes over, so that a caller is not kept by the messages of others.</summary>
    private const int MaxRounds = 16;

    private List<Message> _incoming = [];
    private List<Message> _messages = [];
    private Message _first;
    private bool _hasFirst;
    private bool _isOwned;
    private bool _isRunWanted;
    private bool _isQueued;
    private bool _isHandedOver;

    /// <summary>Guards the mailbox, for as long as it takes to put a message in; nothing is called under it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>
    /// Becomes the owner, where there is none: the caller then does what the message says, and leaves with <see cref="Leave"/>. Otherwise the
    /// owner that there is does it.
    /// </summary>
    public bool EnterOrPost(in Message message, bool isRunDue)
    {
        lock (Gate)
        {
            if (!_isOwned)
            {
                _isOwned = true;
                return true;
            }

            _incoming.Add(message);
            _isRunWanted |= isRunDue;
            return false;
        }
    }

    /// <summary>Becomes the owner, where there is none.</summary>
    public bool TryEnter()
    {
        lock (Gate)
        {
            return !_isOwned && (_isOwned = true);
        }
    }

    /// <summary>
    /// Ends what <see cref="TryEnter"/> or <see cref="EnterOrPost"/> began: does what was asked for meanwhile, and gives the ownership back.
    /// </summary>
    /// <param name="isRunDue">False where <see cref="RunNow"/> or <see cref="Wake"/> follows: more comes that can be dealt with in one go.</param>
    public void Leave(bool isRunDue)
    {
        // Continuations that are completed here must not run in the synchronization context of the thread that is the owner by chance.
        var context = SynchronizationContext.Current;
        if (context is null)
        {
            Drain(isRunDue);
            return;
        }

        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Drain(isRunDue);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Has something done, now or by the owner that there is.</summary>
    public void Post(in Message message)
    {
        if (EnterOrPost(message, isRunDue: true))
        {
            Begin(message);
            Leave(isRunDue: true);
        }
    }

    /// <summary>Likewise, for one of several messages: what they lead to is done when <see cref="RunNow"/> or <see cref="Wake"/> says so.</summary>
    public void PostQuietly(in Message message)
    {
        if (EnterOrPost(message, isRunDue: false))
        {
            Begin(message);
            Leave(isRunDue: false);
        }
    }

    /// <summary>Has something done, and completes when it was done. What it throws comes out here.</summary>
    public ValueTask InvokeAsync(Action<object> action, object target)
    {
        Invocation? invocation = null;
        lock (Gate)
        {
            if (_isOwned)
            {
                invocation = new Invocation(action, target, new TaskCompletionSource(continuations));
                _incoming.Add(new Message(Invocation.Run, invocation));
                _isRunWanted = true;
            }
            else
            {
                _isOwned = true;
            }
        }

        if (invocation is not null)
        {
            return new ValueTask(invocation.Completion!.Task);
        }

        invocation = new Invocation(action, target, null);
        Begin(new Message(Invocation.Run, invocation));
        Leave(isRunDue: true);
        return invocation.Failure is { } failure ? ValueTask.FromException(failure) : default;
    }

    /// <summary>Does what has become possible, now or by the owner that there is.</summary>
    public void RunNow()
    {
        lock (Gate)
        {
            if (_isOwned)
            {
                _isRunWanted = true;
                return;
            }

            _isOwned = true;
        }

        Leave(isRunDue: true);
    }

    /// <summary>Does what has become possible, soon and apart from the caller; once, however often it is asked for meanwhile.</summary>
    public void Wake()
    {
        lock (Gate)
        {
            if (_isOwned)
            {
                _isRunWanted = true;
                return;
            }

            if (_isQueued)
            {
                return;
            }

            _isQueued = true;
        }

        dispatcher.Queue(this);
    }

    void IThreadPoolWorkItem.Execute()
    {
        lock (Gate)
        {
            _isQueued = false;
            if (_isHandedOver)
            {
                // It is ours already.
                _isHandedOver = false;
            }
            else if (_isOwned)
            {
                _isRunWanted = true;
                return;
            }

            _isOwned = true;
        }

        Leave(isRunDue: true);
    }

    /// <summary>The message of the new owner itself, which comes before all that others leave.</summary>
    private void Begin(in Message message)
    {
        _first = message;
        _hasFirst = true;
    }

    private void Drain(bool isRunDue)
    {
        if (_hasFirst)
        {
            var first = _first;
            _hasFirst = false;
            _first = default;
            Do(first);
        }

        for (var round = 0; ; round++)
        {
            if (isRunDue)
            {
                Run();
            }

            lock (Gate)
            {
                if (_incoming.Count == 0 && !_isRunWanted)
                {
                    _isOwned = false;
                    return;
                }

                if (round == MaxRounds)
                {
                    _isHandedOver = true;
                    break;
                }

                isRunDue = _isRunWanted;
                _isRunWanted = false;
                (_incoming, _messages) = (_messages, _incoming);
            }

            foreach (ref readonly var message in CollectionsMarshal.AsSpan(_messages))
            {
                Do(message);
            }

            _messages.Clear();
        }

        dispatcher.Queue(this);
    }

    private void Do(in Message message)
    {
        try
        {
            message.Run(message.Target, message.Argument, message.Number);
        }
        catch (Exception exception)
        {
            owned.OnFailed(exception);
        }
    }

    private void Run()
    {
        try
        {
            owned.Run();
        }
        catch (Exception exception)
        {
            owned.OnFailed(exception);
        }
    }

    private sealed class Invocation(Action<object> action, object target, TaskCompletionSource? completion)
    {
        public TaskCompletionSource? Completion => completion;

        public Exception? Failure { get; private set; }

        public static void Run(object target, object? argument, long number)
        {
            var invocation = (Invocation)target;
            try
            {
                invocation.Do();
            }
            catch (Exception exception)
            {
                invocation.Failure = exception;
                invocation.Completion?.TrySetException(exception);
                return;
            }

            invocation.Completion?.TrySetResult();
        }

        private void Do() => action(target);
    }
}
