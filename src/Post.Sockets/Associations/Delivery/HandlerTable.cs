using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Post.Sockets.Associations.Delivery;

/// <summary>The handlers of an association or a listener, by type of event. Thread-safe; reading takes no lock.</summary>
internal sealed class HandlerTable
{
    /// <summary>Events that an async stream holds for a reader that lags behind; the oldest give way.</summary>
    private const int StreamCapacity = 4096;

    private ImmutableDictionary<Type, ImmutableArray<Handler>> _handlers = ImmutableDictionary<Type, ImmutableArray<Handler>>.Empty;
    private ImmutableArray<IEventStream> _streams = [];
    private volatile bool _isComplete;

    public bool Has<TEvent>() => _handlers.ContainsKey(typeof(TEvent));

    public ImmutableArray<Handler> For(Type type) => _handlers.TryGetValue(type, out var handlers) ? handlers : [];

    public IDisposable Add<TEvent>(Func<TEvent, ValueTask> invoke)
        where TEvent : PostEvent
    {
        ArgumentNullException.ThrowIfNull(invoke);
        var handler = new Handler<TEvent>(this, invoke);
        ImmutableInterlocked.AddOrUpdate(ref _handlers, typeof(TEvent), [handler], (_, before) => before.Add(handler));
        return handler;
    }

    /// <summary>The events as an async stream, from the first <c>MoveNextAsync</c> on.</summary>
    public async IAsyncEnumerable<TEvent> StreamAsync<TEvent>([EnumeratorCancellation] CancellationToken cancellationToken)
        where TEvent : PostEvent
    {
        using var stream = new EventStream<TEvent>(this);
        await foreach (var happened in stream.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return happened;
        }
    }

    /// <summary>Nothing more will happen.</summary>
    public void CompleteStreams()
    {
        _isComplete = true;
        foreach (var stream in _streams)
        {
            stream.Complete();
        }
    }

    private void Remove(Type type, Handler handler) =>
        ImmutableInterlocked.Update(ref _handlers, before =>
        {
            if (!before.TryGetValue(type, out var handlers))
            {
                return before;
            }

            var rest = handlers.Remove(handler);
            return rest.IsEmpty ? before.Remove(type) : before.SetItem(type, rest);
        });

    /// <summary>One registration.</summary>
    internal abstract class Handler : IDisposable
    {
        public abstract ValueTask InvokeAsync(PostEvent happened);

        public abstract void Dispose();
    }

    private interface IEventStream
    {
        void Complete();
    }

    private sealed class Handler<TEvent>(HandlerTable table, Func<TEvent, ValueTask> invoke) : Handler
        where TEvent : PostEvent
    {
        public override ValueTask InvokeAsync(PostEvent happened) => invoke((TEvent)happened);

        public override void Dispose() => table.Remove(typeof(TEvent), this);
    }

    private sealed class EventStream<TEvent> : IEventStream, IDisposable
        where TEvent : PostEvent
    {
        private readonly HandlerTable _table;
        private readonly Channel<TEvent> _channel = Channel.CreateBounded<TEvent>(new BoundedChannelOptions(StreamCapacity)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
            AllowSynchronousContinuations = true,
        });

        private readonly IDisposable _registration;

        public EventStream(HandlerTable table)
        {
            _table = table;
            _registration = table.Add<TEvent>(happened =>
            {
                _channel.Writer.TryWrite(happened);
                return default;
            });
            ImmutableInterlocked.Update(ref table._streams, static (streams, stream) => streams.Add(stream), (IEventStream)this);
            if (table._isComplete)
            {
                Complete();
            }
        }

        public ChannelReader<TEvent> Reader => _channel.Reader;

        public void Complete() => _channel.Writer.TryComplete();

        public void Dispose()
        {
            _registration.Dispose();
            ImmutableInterlocked.Update(ref _table._streams, static (streams, stream) => streams.Remove(stream), (IEventStream)this);
        }
    }
}
