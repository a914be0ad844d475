using System.Runtime.CompilerServices;

namespace Post.Sockets.Associations.Delivery;

/// <summary>Awaited, it goes on in a synchronization context.</summary>
internal readonly struct ContextSwitch(SynchronizationContext context) : INotifyCompletion
{
    public bool IsCompleted => SynchronizationContext.Current == context;

    public ContextSwitch GetAwaiter() => this;

    public void OnCompleted(Action continuation) => context.Post(static next => ((Action)next!)(), continuation);

    public void GetResult()
    {
    }
}
