using System.IO.Pipelines;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Ownership;

/// <summary>Lets the continuations of a pipe run where the association's work runs.</summary>
internal sealed class DispatcherPipeScheduler(TransportDispatcher dispatcher) : PipeScheduler
{
    public static PipeScheduler For(TransportDispatcher dispatcher) =>
        dispatcher == TransportDispatcher.ThreadPool ? ThreadPool : new DispatcherPipeScheduler(dispatcher);

    public override void Schedule(Action<object?> action, object? state) => dispatcher.Queue(new Item(action, state));

    private sealed class Item(Action<object?> action, object? state) : IThreadPoolWorkItem
    {
        public void Execute() => action(state);
    }
}
