class Skillspan < Formula
  desc "@SUMMARY@"
  version "@VERSION@"
  license "Apache-2.0"

  on_macos do
    on_arm do
      @aarch64-apple-darwin@
    end
    on_intel do
      @x86_64-apple-darwin@
    end
  end

  on_linux do
    on_arm do
      @aarch64-unknown-linux-gnu@
    end
    on_intel do
      @x86_64-unknown-linux-gnu@
    end
  end

  def install
    bin.install "skillspan"
    bash_completion.install "completions/skillspan.bash" => "skillspan"
    zsh_completion.install "completions/_skillspan"
    fish_completion.install "completions/skillspan.fish"
    man1.install Dir["man/*.1"]
  end

  service do
    run [opt_bin/"skillspan", "run"]
    keep_alive true
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/skillspan --version")
    system bin/"skillspan", "validate"
  end
end
