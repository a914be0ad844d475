using FileTransfer.Storage.Directories;

namespace FileTransfer.Sources;

/// <summary>A place in the local file system under the name by which the other side knows it.</summary>
/// <param name="Name">The path that the other side sees; empty: the directory itself is the whole tree.</param>
/// <param name="Directory">The directory that holds it, or that it is.</param>
/// <param name="LocalName">Its name in that directory; empty: it is the directory.</param>
internal sealed record Mount(string Name, OpenDirectory Directory, string LocalName) : IDisposable
{
    public void Dispose() => Directory.Dispose();
}
