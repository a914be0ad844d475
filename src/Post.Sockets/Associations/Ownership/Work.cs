namespace Post.Sockets.Associations.Ownership;

/// <summary>A small piece of work for the dispatcher.</summary>
internal sealed class Work(Action action) : IThreadPoolWorkItem
{
    public void Execute() => action();
}
